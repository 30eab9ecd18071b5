import { ManualClock } from '@tidings/testing';
import { silentLogger } from '../logger';
import type { PublishResult } from './publisher';
import { untilConfirmed } from './until-confirmed';

const confirmed = { outcome: 'confirmed' } as PublishResult;
const failed = { outcome: 'transient', error: new Error('no route') } as unknown as PublishResult;

describe('untilConfirmed', () => {
  const publishing = (results: (PublishResult | Error)[]) => {
    let calls = 0;
    return {
      calls: () => calls,
      publish: async (): Promise<PublishResult> => {
        const result = results[Math.min(calls++, results.length - 1)]!;
        if (result instanceof Error) throw result;
        return Promise.resolve(result);
      },
    };
  };

  it('tries again after a failure and after a throw, with a wait before each, until the broker has confirmed', async () => {
    const clock = new ManualClock();
    const waits: number[] = [];
    const { calls, publish } = publishing([failed, new Error('socket closed'), confirmed]);
    const persistence = {
      clock: Object.assign(Object.create(clock) as ManualClock, {
        wait: async (ms: number) => Promise.resolve(void waits.push(ms)),
      }),
      logger: silentLogger,
      reconnectMaxMs: 5_000,
    };
    await expect(untilConfirmed(persistence, 'm1', () => true, publish)).resolves.toBe(true);
    expect(calls()).toBe(3);
    expect(waits).toHaveLength(2);
    expect(waits[1]).toBeGreaterThan(0);
  });

  it('answers false, and publishes no more, when it is not needed any longer', async () => {
    const { calls, publish } = publishing([failed]);
    let needed = 2;
    const persistence = {
      clock: Object.assign(new ManualClock(), { wait: async () => Promise.resolve() }),
      logger: silentLogger,
      reconnectMaxMs: 5_000,
    };
    await expect(untilConfirmed(persistence, 'm1', () => needed-- > 0, publish)).resolves.toBe(false);
    expect(calls()).toBe(2);
  });
});
