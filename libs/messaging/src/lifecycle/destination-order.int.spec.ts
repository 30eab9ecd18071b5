import { confirmed, failed, type OutgoingMessage, type PublishResult, type Store, systemClock } from '@tidings/core';
import { memory } from '@tidings/memory';
import type { Outbox } from '@tidings/outbox';
import { type Death, describeOn, DyingStore, until } from '@tidings/testing';
import fc from 'fast-check';
import { SpecGround } from '../handling/spec-ground.fixture';
import type { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { closeAll, GiftSent } from '../test-application.fixture';

interface Planned {
  readonly room: string;
  /** How often the destination refuses it for good, and then does not take it for now. */
  readonly refusals: number;
  readonly transients: number;
  /** Its first letter is discarded; else each is redriven. */
  readonly discarded: boolean;
  /** Milliseconds before it is appended. */
  readonly gapMs: number;
}

/** A relay's process dies after so many statements and publishes of its own, and another takes its place. */
interface Crash {
  readonly relay: 0 | 1;
  readonly steps: number;
  readonly how: Death;
}

const ROOMS = ['k', 'l', 'm'];
const planned: fc.Arbitrary<Planned> = fc.record({
  room: fc.constantFrom(...ROOMS),
  refusals: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) }), // prettier-ignore
  transients: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
  discarded: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  gapMs: fc.integer({ min: 0, max: 60 }),
});
const crash: fc.Arbitrary<Crash> = fc.record({
  relay: fc.constantFrom(0 as const, 1 as const),
  steps: fc.integer({ min: 0, max: 60 }),
  how: fc.constantFrom<Death>('unsent', 'unheard'),
});

const patient = { withinMs: 60_000, everyMs: 20 };
const why = { by: 'spec', reason: 'as asked' };

describeOn('postgres', 'outbound parked keys under random interleavings', (url) => {
  let ground: SpecGround;
  let store: Store;
  let outbox: Outbox;
  let letters: ApplicationDeadLetters;
  let answer: (outgoing: OutgoingMessage) => PublishResult;
  const relays: DyingStore[] = [];
  let runs = 0;
  let deaths = 0;

  /** A destination that keeps order also within a call: it takes nothing of a key behind what it did not take. */
  const publish = async (messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> => {
    const stuck = new Set<string | null>();
    return messages.map((outgoing) => {
      const { key } = outgoing.message;
      const result = stuck.has(key) ? failed('transient', new Error('behind another')) : answer(outgoing);
      if (result !== confirmed) stuck.add(key);
      return result;
    });
  };

  const startRelay = async (): Promise<DyingStore> => {
    const dying = new DyingStore(ground.store('pg', 4));
    const main = memory();
    main.publish = (messages) => dying.step(() => publish(messages));
    await ground.start(dying.asStore(), main, [], {
      roles: ['relay'],
      parking: { leaseMs: 300, pollMs: 100 },
      relay: { leaseMs: 1_000, pollMs: 100, backoffMs: 5, maxBackoffMs: 20 },
    });
    return dying;
  };

  beforeAll(async () => {
    ground = await SpecGround.at(url);
    store = ground.store('pg', 4);
    ({ outbox, letters } = await ground.start(store, memory(), [], { roles: ['publish'] }));
    for (const n of [0, 1]) relays[n] = await startRelay();
  }, 60_000);
  afterAll(async () => {
    await closeAll();
    await ground.close();
  }, 60_000);

  async function run(plan: readonly Planned[], crashes: readonly Crash[]): Promise<void> {
    const prefix = `run ${runs++}`;
    const messages = plan.map((one, n) => ({ ...one, room: `${prefix} ${one.room}`, id: `${prefix} ${n}` }));
    const left = new Map(messages.map(({ id, refusals, transients }) => [id, { refusals, transients }]));
    const sent: string[] = [];
    answer = ({ message: { id } }) => {
      const now = left.get(id)!;
      if (now.refusals > 0 && now.refusals--) return failed('refused', new Error('as asked'));
      if (now.transients > 0 && now.transients--) return failed('transient', new Error('not now'));
      sent.push(id);
      return confirmed;
    };
    for (const { relay, steps, how } of crashes) relays[relay]!.dieAfter(steps, how);
    const appended = Promise.all(
      ROOMS.map(async (room) => {
        for (const { id, room: of, gapMs } of messages.filter((one) => one.room === `${prefix} ${room}`)) {
          await systemClock.wait(gapMs);
          await store.run((transaction) =>
            outbox.within(transaction).publish(GiftSent, { room: of, coins: 1 }, { id }),
          );
        }
      }),
    );
    const gone = new Set<string>();
    const work = async (): Promise<void> => {
      for (const [n, relay] of relays.entries()) {
        if (relay.alive) continue;
        deaths += 1;
        relays[n] = await startRelay();
      }
      // People come later than the moment between a burial and its key's parking.
      const parked = await ground.query<{ key: string }>(`select key from parked_key where state = 'dead'`);
      const dead = (await letters.list({ status: ['dead'] })).filter(({ key }) =>
        parked.some((one) => one.key === key),
      );
      for (const { id, messageId } of dead) {
        const discarded = messages.some((one) => one.id === messageId && one.discarded);
        if (discarded && (await letters.discard(id, why)).outcome === 'discarded') gone.add(messageId);
        if (!discarded) await letters.redrive(id);
      }
    };
    await until(
      `all are sent of ${JSON.stringify({ plan, crashes })}`,
      async () => {
        await work();
        const waiting = await ground.query('select from parked_key');
        return waiting.length === 0 && messages.every(({ id }) => gone.has(id) || sent.includes(id));
      },
      patient,
    );
    await appended;
    for (const room of ROOMS.map((name) => `${prefix} ${name}`)) {
      const expected = messages.filter((one) => one.room === room && !gone.has(one.id)).map(({ id }) => id);
      const found = [...new Set(sent)].filter((id) => expected.includes(id));
      expect(found).toEqual(expected);
    }
    expect(sent.filter((id) => gone.has(id))).toEqual([]);
    for (const relay of relays) relay.dieAfter(Infinity, 'unsent');
  }

  it('keep the order of each key and lose nothing, whatever is refused and whoever dies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { minLength: 1, maxLength: 20 }),
        fc.array(crash, { maxLength: 2 }),
        (plan, crashes) => run(plan, crashes),
      ),
      { numRuns: 20, endOnFailure: true },
    );
    expect(deaths).toBeGreaterThan(0);
  }, 500_000);
});
