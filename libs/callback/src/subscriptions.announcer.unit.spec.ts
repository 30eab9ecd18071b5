import { silentLogger, timestampOf } from '@tidings/core';
import { ManualClock, until } from '@tidings/testing';
import { SubscriptionsAnnouncer } from './subscriptions.announcer';

const SUBSCRIPTIONS = [{ type: 'order.placed', group: 'packing' }];

describe('the announcer of subscriptions', () => {
  let clock: ManualClock;
  let told: unknown[];
  let warnings: number;
  let away: boolean;
  let announcer: SubscriptionsAnnouncer;

  beforeEach(() => {
    clock = new ManualClock();
    told = [];
    warnings = 0;
    away = false;
    const publish = async (_contract: unknown, payload: unknown): Promise<void> => {
      if (away) throw new Error('nobody there');
      told.push(payload);
    };
    announcer = new SubscriptionsAnnouncer({
      publish,
      clock,
      logger: { ...silentLogger, warn: () => (warnings += 1) },
    });
  });
  afterEach(() => announcer.stop());

  /** Lets it wait, and moves the clock past that. */
  const wake = async (ms: number): Promise<void> => {
    await until('it waits', () => clock.sleeping > 0);
    clock.advance(ms);
  };

  it('tells when they started, and again ever later for a registry that came late', async () => {
    const since = timestampOf(clock.now());
    announcer.start(SUBSCRIPTIONS);
    for (let n = 1; n <= 12; n++) {
      await until('told', () => told.length === n);
      await wake(700_000);
    }
    expect(clock.waits.slice(0, 3)).toEqual([2_000, 4_000, 8_000]);
    expect(Math.min(...clock.waits.slice(9))).toBeGreaterThan(500_000);
    expect(told.slice(0, 12)).toEqual(Array(12).fill({ subscriptions: SUBSCRIPTIONS, since }));
  });

  it('tries again soon while nobody hears, and warns once', async () => {
    away = true;
    announcer.start(SUBSCRIPTIONS);
    await wake(2_200);
    await wake(2_200);
    away = false;
    await wake(2_200);
    await until('told', () => told.length === 1);
    expect(warnings).toBe(1);
  });

  it('says nothing for a process without durable subscriptions', async () => {
    announcer.start([]);
    await announcer.stop();
    expect([told, clock.waits]).toEqual([[], []]);
  });
});
