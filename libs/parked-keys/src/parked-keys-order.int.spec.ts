import { type Message, reject, retry, type Settlement, systemClock } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import fc from 'fast-check';
import { gift, SpecParking } from './spec-parking.fixture';

interface Planned {
  readonly key: string;
  /** Failures before it succeeds; after the third it is a dead letter, and redriven. */
  readonly failures: number;
  /** Milliseconds before it arrives, and that its handler takes. */
  readonly gapMs: number;
  readonly takesMs: number;
}

const planned: fc.Arbitrary<Planned> = fc.record({
  key: fc.constantFrom('k', 'l', 'm'),
  failures: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 1, max: 2 }) }, fc.constant(3)), // prettier-ignore
  gapMs: fc.integer({ min: 0, max: 4 }),
  takesMs: fc.integer({ min: 0, max: 3 }),
});

describeOn('postgres', 'parked keys under random interleavings', (url) => {
  let spec: SpecParking;
  beforeAll(async () => {
    spec = await SpecParking.open(url);
  });
  afterAll(() => spec.close());

  /** Two processes share the group: a key's messages arrive one after the other, at either of them, while both release. */
  async function run(plan: readonly Planned[]): Promise<void> {
    const messages = plan.map((one, n) => ({ ...one, message: gift(String(n), one.key) }));
    const failed = new Map<string, number>();
    const behaviour = async ({ id }: Message): Promise<Settlement | void> => {
      const { failures, takesMs } = messages[Number(id)]!;
      const before = failed.get(id) ?? 0;
      await systemClock.wait(takesMs);
      if (before >= failures) return;
      failed.set(id, before + 1);
      return before + 1 === 3 ? reject('for good') : retry(before);
    };
    const instances = [0, 1].map(() => spec.instance(behaviour, { concurrency: 2, pollMs: 10 }));
    await Promise.all(instances.map(({ releaser }) => releaser.start()));
    const arrivals = ['k', 'l', 'm'].map(async (key, index) => {
      for (const [n, { gapMs, message }] of messages.filter((one) => one.key === key).entries()) {
        await systemClock.wait(gapMs);
        await instances[(n + index) % 2]!.deliver(message);
      }
    });
    let arriving = true;
    const all = Promise.all(arrivals).finally(() => (arriving = false));
    const redriven = new Set<Message>();
    await until(
      'all took effect',
      async () => {
        for (const message of spec.world.letters) {
          if (redriven.has(message)) continue;
          const again = { kind: 'again', message: { ...message, generation: message.generation + 1 } } as const;
          const head = { direction: 'inbound', place: 'badges', message } as const;
          if ((await instances[0]!.parkedKeys.resume(head, again)) === 'resumed') redriven.add(message);
        }
        return !arriving && spec.world.effects.length >= plan.length;
      },
      { withinMs: 60_000, everyMs: 2 },
    );
    await all;
    const expected = (key: string) => messages.filter((one) => one.key === key).map(({ message }) => message.id);
    for (const key of ['k', 'l', 'm']) {
      expect(spec.world.effects.filter((id) => messages[Number(id)]!.key === key)).toEqual(expected(key));
      await until(`${key} is free`, async () => !(await spec.row(key)), { withinMs: 60_000 });
    }
    expect(spec.world.effects).toHaveLength(plan.length);
  }

  it('keep the order of each key, whatever fails and whoever releases', async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(planned, { minLength: 1, maxLength: 25 }), (plan) => run(plan))
        .afterEach(() => spec.clear()),
      { numRuns: 25, endOnFailure: true },
    );
  }, 300_000);
});
