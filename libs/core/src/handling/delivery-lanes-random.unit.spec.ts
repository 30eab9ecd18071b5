import { RecordingReceive, testMessage } from '@tidings/testing';
import fc from 'fast-check';
import type { Delivery } from '../message/message';
import { type Clock, systemClock } from '../scheduling/clock';
import { accept, park, reject, release, retry, type Settlement } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';

/** Delays are as they were asked in proportion, and short. */
const hurried: Clock = { ...systemClock, wait: (ms, signal) => systemClock.wait(ms % 4, signal) };

const failure = fc.constantFrom<Settlement>(retry(1), retry(3, { counted: false }), park('later'), release);
const plan = fc.record({
  key: fc.constantFrom('a', 'b', 'c', null),
  /** What the attempts answer before the last one. */
  failures: fc.array(failure, { maxLength: 3 }),
  last: fc.constantFrom<Settlement>(accept, accept, reject('no')),
  takesMs: fc.integer({ min: 0, max: 2 }),
  /** From the arrival before to this one. */
  gapMs: fc.integer({ min: 0, max: 1 }),
});

type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

function planned(plans: Plan[]): { all: Delivery[]; received: RecordingReceive } {
  const left = new Map(plans.map((one, n) => [`${n}`, [...one.failures]]));
  const all = plans.map(({ key }, n) => ({
    message: testMessage({ id: `${n}`, key }),
    attempt: 1,
    redelivered: false,
  }));
  const received = new RecordingReceive(async ({ message: { id, key } }) => {
    const { takesMs, last } = plans[Number(id)]!;
    await systemClock.wait(takesMs);
    // An unkeyed delivery's failure is the transport's to retry: here it is settled at once.
    return (key === null ? undefined : left.get(id)!.shift()) ?? last;
  });
  return { all, received };
}

/** Hands all of them over, some at once and some while others run. */
async function runAll(lanes: DeliveryLanes, plans: Plan[], all: Delivery[]): Promise<Settlement[]> {
  const settled: Promise<Settlement>[] = [];
  for (const [n, one] of all.entries()) {
    if (plans[n]!.gapMs > 0) await systemClock.wait(plans[n]!.gapMs);
    settled.push(lanes.run(one));
  }
  return Promise.all(settled);
}

const idsByKey = (deliveries: readonly Delivery[]): Map<string | null, string[]> => {
  const map = new Map<string | null, string[]>();
  for (const { message } of deliveries) map.set(message.key, [...(map.get(message.key) ?? []), message.id]);
  map.delete(null);
  return map;
};

const withoutRepeats = (ids: readonly string[]): string[] => ids.filter((id, n) => id !== ids[n - 1]);

describe('delivery lanes, whatever the handlers answer', () => {
  it('keep every key in order, one at a time, and never exceed the concurrency', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (plans, concurrency) => {
          const { all, received } = planned(plans);
          const lanes = new DeliveryLanes({ ordered: true, concurrency }, received.receive, hurried);
          const settled = await runAll(lanes, plans, all);
          expect(settled).toEqual(plans.map(({ last }) => last));
          expect(received.overlappingKeys).toEqual([]);
          expect(received.mostAtOnce).toBeLessThanOrEqual(concurrency);
          expect(lanes.inFlight).toBe(0);
          const handled = idsByKey(received.deliveries);
          for (const [key, ids] of idsByKey(all)) expect(withoutRepeats(handled.get(key)!)).toEqual(ids);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it('stopped at any moment: of each key the first are settled, the rest released, and nothing runs behind a released one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { minLength: 1, maxLength: 30 }),
        fc.record({
          concurrency: fc.integer({ min: 1, max: 5 }),
          afterMs: fc.integer({ min: 0, max: 12 }),
          drainMs: fc.integer({ min: 0, max: 3 }),
        }),
        async (plans, { concurrency, afterMs, drainMs }) => {
          const { all, received } = planned(plans);
          const lanes = new DeliveryLanes({ ordered: true, concurrency }, received.receive, hurried);
          const settled = runAll(lanes, plans, all);
          await systemClock.wait(afterMs);
          await Promise.all([lanes.stop(drainMs), lanes.stop(drainMs + 1)]);
          // Some were handed over only after the stop had begun: they are released too, a moment later.
          const settlements = await settled;
          expect(lanes.inFlight).toBe(0);
          for (const [key, ids] of idsByKey(all)) {
            const released = ids.filter((id) => settlements[Number(id)]!.kind === 'release');
            expect(released).toEqual(ids.slice(ids.length - released.length));
            const ran = new Set(
              received.deliveries.filter(({ message }) => message.key === key).map(({ message }) => message.id),
            );
            // Of the released ones only the head may have run: it was cut, or waited for its retry.
            expect(released.slice(1).filter((id) => ran.has(id))).toEqual([]);
          }
          expect(received.overlappingKeys).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
