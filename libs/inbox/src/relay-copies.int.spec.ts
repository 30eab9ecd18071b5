import { randomBytes } from 'node:crypto';
import { defineMessage, type Delivery, type DeliveryLevel, DeliveryLanes, dispatcher, type HandlerDefinition, type Message, never, quoted, silentLogger, systemClock } from '@tidings/core'; // prettier-ignore
import { migrate, pg, type PgStore } from '@tidings/database';
import { describeOn, testMessage } from '@tidings/testing';
import fc from 'fast-check';
import { Pool } from 'pg';
import { z } from 'zod';
import { inboxMiddleware } from './inbox.middleware';
import { inboxMigrations } from './migrations';

const Counted = defineMessage('gift.sent', { schema: z.object({ n: z.number() }) });

/** What one relay sends of a lane: an unbroken run from its epoch's first message. The first `confirmed` are in the queue when the next takes over. */
interface Run {
  readonly epoch: number;
  readonly epochStart: number;
  readonly sent: number;
  readonly confirmed: number;
}
interface Copy {
  readonly sequence: number;
  readonly epoch: number;
  readonly epochStart: number;
}

/** Runs of relays that take each other's lane, until the last one has sent all. */
function runsOf(total: number, plans: readonly { readonly confirmed: number; readonly stalled: number }[]): Run[] {
  const runs: Run[] = [];
  let passed = 0;
  for (const plan of plans) {
    const confirmed = Math.min(plan.confirmed, total - passed);
    const sent = Math.min(confirmed + plan.stalled, total - passed);
    runs.push({ epoch: runs.length + 1, epochStart: passed + 1, sent, confirmed });
    passed += confirmed;
  }
  const rest = total - passed;
  return [...runs, { epoch: runs.length + 1, epochStart: passed + 1, sent: rest, confirmed: rest }];
}

/** One order in which the copies may come into the queue; `choices` decide between the relays that may be next. */
function arrivals(runs: readonly Run[], choices: readonly number[]): Copy[] {
  const done = runs.map(() => 0);
  const copies: Copy[] = [];
  for (let turn = 0; ; turn++) {
    const next = runs.flatMap(({ sent }, n) => {
      const takenOver = runs.slice(0, n).every(({ confirmed }, before) => done[before]! >= confirmed);
      return takenOver && done[n]! < sent ? [n] : [];
    });
    if (next.length === 0) return copies;
    const chosen = next[(choices[turn % choices.length] ?? 0) % next.length]!;
    const { epoch, epochStart } = runs[chosen]!;
    copies.push({ sequence: epochStart + done[chosen]!, epoch, epochStart });
    done[chosen] = done[chosen]! + 1;
  }
}

describeOn('postgres', "a stalled relay's copies", (url) => {
  const s = quoted(`copies_${randomBytes(4).toString('hex')}`);
  let pool: Pool;
  let store: PgStore;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 5 });
    store = pg(pool, { schema: s.slice(1, -1), connections: 1 });
    await migrate(store, inboxMigrations);
    await pool.query(`create table ${s}.effect (at bigserial, key text, n int)`);
  });
  afterAll(async () => {
    await pool.query(`drop schema ${s} cascade`);
    await store.close();
    await pool.end();
  });

  /** Delivers in that order to an ordered subscription, as a transport does, and tells the effects in the order in which they were made. */
  const applied = async (
    copies: readonly Copy[],
    { level = 'effectivelyOnce', keyOf = () => 'room-1' }: { readonly level?: DeliveryLevel; readonly keyOf?: (n: number) => string } = {}, // prettier-ignore
  ): Promise<number[]> => {
    const subscription = { topic: 'gift.sent', group: randomBytes(6).toString('hex'), ordered: true, broadcast: false, concurrency: 4, from: 'now' } as const; // prettier-ignore
    const handler: HandlerDefinition = {
      name: 'count',
      contract: Counted,
      subscription,
      transport: 'main',
      store: 'default',
      level,
      retry: never(),
      invoke: async (payload, { transaction }) => {
        await transaction!.query({
          text: `insert into ${s}.effect (key, n) values ($1, $2)`,
          values: [subscription.group, (payload as { n: number }).n],
        });
      },
    };
    const receive = dispatcher(handler, [inboxMiddleware({ stores: () => store })], silentLogger);
    const lanes = new DeliveryLanes(subscription, receive, systemClock);
    const messages = new Map<number, Message>();
    const deliveries = copies.map(({ sequence: n, ...epoch }): Delivery => {
      const message = messages.get(n) ?? testMessage({ id: `${subscription.group}-${n}`, key: keyOf(n), payload: { n } }); // prettier-ignore
      messages.set(n, message);
      return { message, attempt: 1, redelivered: false, stamp: { sequence: n, ...epoch } };
    });
    const settlements = await Promise.all(deliveries.map((delivery) => lanes.run(delivery)));
    expect(new Set(settlements.map(({ kind }) => kind))).toEqual(new Set(['accept']));
    const { rows } = await pool.query<{ n: number }>(`select n from ${s}.effect where key = $1 order by at`, [subscription.group]); // prettier-ignore
    return rows.map(({ n }) => n);
  };
  const copy = (sequence: number, epoch: number, epochStart: number): Copy => ({ sequence, epoch, epochStart });

  it('message 5 of epoch 1 redelivered after message 6 of epoch 2 is applied', async () => {
    const keyOf = (n: number): string => `room-${n}`; // of one key they could not come so: 5 was confirmed before epoch 2 began
    expect(await applied([copy(6, 2, 6), copy(5, 1, 1)], { keyOf }).then((all) => all.sort())).toEqual([5, 6]);
  });

  it("a stalled relay's copy of 6 that arrives before 5 of the new epoch comes behind its own 5, and swaps nothing", async () => {
    const [old5, old6] = [copy(5, 1, 1), copy(6, 1, 1)];
    const [new5, new6, new7] = [copy(5, 2, 5), copy(6, 2, 5), copy(7, 2, 5)];
    expect(await applied([old5, old6, new5, new6, new7])).toEqual([5, 6, 7]);
    expect(await applied([old5, new5, old6, new6, new7])).toEqual([5, 6, 7]);
    expect(await applied([new5, new6, new7, old5, old6])).toEqual([5, 6, 7]);
  });

  it('of any number of relays, however they are mixed, are applied once each and in order', async () => {
    const plan = fc.record({ confirmed: fc.nat(3), stalled: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { maxLength: 4 }), fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), async (plans, choices) => {
        const copies = arrivals(runsOf(6, plans), choices);
        expect(await applied(copies)).toEqual([1, 2, 3, 4, 5, 6]);
      }),
      { numRuns: 40 },
    ); // prettier-ignore
  });

  it('are handled again at atLeastOnce, also behind newer ones', async () => {
    const copies = [copy(5, 2, 5), copy(6, 2, 5), copy(7, 2, 5), copy(5, 1, 1), copy(6, 1, 1)];
    expect(await applied(copies, { level: 'atLeastOnce' })).toEqual([5, 6, 7, 5, 6]);
  });
});
