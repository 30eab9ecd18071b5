import { exponential, fixed, OptionsError } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';
import { checkRetention } from './retention-check';

const DAY_MS = 86_400_000;
const planned = (retry: ReturnType<typeof fixed>, level = 'effectivelyOnce'): PlannedSubscription[] =>
  [{ handlers: [{ level, retry }] }] as unknown as PlannedSubscription[];

describe('the inbox must outlast the retries', () => {
  it('refuses a retention shorter than the longest retry, and names what is needed', () => {
    const slow = fixed({ attempts: 11, delayMs: DAY_MS, maxDelayMs: DAY_MS });
    expect(() => checkRetention({ retentionDays: 9 }, planned(slow))).toThrow(OptionsError);
    expect(() => checkRetention({ retentionDays: 9 }, planned(slow))).toThrow(
      /inbox\.retentionDays: expected at least 10/,
    );
    expect(() => checkRetention({ retentionDays: 10 }, planned(slow))).not.toThrow();
  });

  it('counts how long each retry may wait for its budget', () => {
    const handler = {
      level: 'effectivelyOnce',
      retry: fixed({ attempts: 5 }),
      retryBudget: { perSecond: 1, maxWaitMs: 2 * DAY_MS },
      subscription: { attempts: 5 },
    };
    const budgeted = [{ handlers: [handler] }] as unknown as PlannedSubscription[];
    expect(() => checkRetention({ retentionDays: 10 }, budgeted)).toThrow(/inbox\.retentionDays: expected at least 11/);
    expect(() => checkRetention({ retentionDays: 11 }, budgeted)).not.toThrow();
  });

  it('asks nothing of handlers without an inbox, nor of a policy without an end', () => {
    const slow = fixed({ attempts: 11, delayMs: DAY_MS, maxDelayMs: DAY_MS });
    expect(() => checkRetention({ retentionDays: 1 }, planned(slow, 'atLeastOnce'))).not.toThrow();
    expect(() => checkRetention({ retentionDays: 1 }, planned(exponential({ attempts: Infinity })))).not.toThrow();
  });

  it('a policy tells its longest time', () => {
    expect(fixed({ attempts: 1 }).longestMs).toBe(0);
    const own = { immediate: 0, maxRetryAfterMs: 0 };
    expect(fixed({ ...own, attempts: 4, delayMs: 100 }).longestMs).toBe(300);
    expect(exponential({ ...own, attempts: 4, delayMs: 100, immediate: 1 }).longestMs).toBe(100 + 100 + 200);
    expect(fixed({ ...own, attempts: 4, delayMs: 100, maxRetryAfterMs: 5_000 }).longestMs).toBe(15_000);
    expect(exponential({ ...own, attempts: 5, delayMs: 1_000, maxDelayMs: 5_000 }).longestMs).toBe(
      1_000 + 2_000 + 4_000 + 5_000,
    );
    expect(exponential({ ...own, attempts: 1_000, delayMs: 1, maxDelayMs: 10 }).longestMs).toBe(
      1 + 2 + 4 + 8 + 995 * 10,
    );
  });
});
