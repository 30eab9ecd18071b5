import fc from 'fast-check';
import { ContractError, NewerVersionError, NonRetriableError, OptionsError } from '../errors';
import { exponential, fixed, never, type RetryOptions } from './retry-policy';

const error = new Error('database away');
const options = fc.record({
  attempts: fc.integer({ min: 1, max: 1_000 }),
  immediate: fc.nat({ max: 10 }),
  delayMs: fc.nat({ max: 100_000 }),
  maxDelayMs: fc.nat({ max: 1_000_000 }),
});
const policies = [fixed, exponential];

describe('a retry policy', () => {
  it('retries below its attempts and rejects from there on, with a delay between 0 and its limit', () => {
    fc.assert(
      fc.property(fc.constantFrom(...policies), options, fc.integer({ min: 1, max: 2_000 }), (make, given, attempt) => {
        const settlement = make(given).settle(error, attempt);
        if (attempt >= given.attempts) return expect(settlement).toMatchObject({ kind: 'reject', error });
        expect(settlement).toMatchObject({ kind: 'retry', counted: true, error });
        const { afterMs } = settlement as { afterMs: number };
        expect(afterMs >= 0 && afterMs <= given.maxDelayMs && Number.isFinite(afterMs)).toBe(true);
      }),
    );
  });

  it('never shortens an exponential delay', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 998 }), (given, attempt) => {
        const policy = exponential({ ...given, attempts: 1_000 });
        const [one, next] = [attempt, attempt + 1].map((n) => policy.settle(error, n) as { afterMs: number });
        expect(next!.afterMs).toBeGreaterThanOrEqual(one!.afterMs);
      }),
    );
  });

  it('doubles from its first delay up to its limit, or stays', () => {
    const delays = (policy: ReturnType<typeof fixed>): unknown[] =>
      [1, 2, 3, 4].map((attempt) => (policy.settle(error, attempt) as { afterMs?: number }).afterMs);
    expect(delays(exponential({ maxDelayMs: 3_500 }))).toEqual([1_000, 2_000, 3_500, 3_500]);
    expect(delays(fixed({ delayMs: 70 }))).toEqual([70, 70, 70, 70]);
    expect(delays(never())).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('has five attempts and one immediate one unless told otherwise', () => {
    expect(fixed().immediate).toBe(1);
    expect([4, 5].map((attempt) => fixed().settle(error, attempt).kind)).toEqual(['retry', 'reject']);
    expect(fixed({ attempts: Infinity }).settle(error, 1e9).kind).toBe('retry');
    expect([never().immediate, never().settle(error, 1).kind]).toEqual([0, 'reject']);
  });

  it.each([
    ['a non-retriable error', new NonRetriableError('no such room'), 'not retriable: no such room'],
    [
      'a payload that does not fit',
      new ContractError('gift.sent', 1, 'coins: is missing'),
      'not retriable: message gift.sent v1: coins: is missing',
    ],
    ["the user's own", new RangeError('x'), 'not retriable: x'],
  ])('rejects %s at the first attempt', (_, thrown, reason) => {
    const policy = exponential({ nonRetriable: (one) => one instanceof RangeError });
    expect(policy.retriable(thrown)).toBe(false);
    expect(policy.settle(thrown, 1)).toEqual({ kind: 'reject', reason, error: thrown });
  });

  it('parks a newer version, however often it came', () => {
    const newer = new NewerVersionError('gift.sent', 3, 2);
    for (const attempt of [1, 5, 500])
      expect(fixed().settle(newer, attempt)).toMatchObject({ kind: 'park', error: newer });
    expect(fixed().retriable(newer)).toBe(false);
  });

  it('tells how often it failed, and the last error', () => {
    expect(fixed().settle(error, 5)).toMatchObject({ reason: 'failed 5 times, the last with: database away' });
  });

  it.each<[RetryOptions, string]>([
    [{ attempts: 0 }, 'retry.attempts: must be a whole number from 1, found 0'],
    [{ attempts: NaN }, 'retry.attempts: must be a whole number from 1, found NaN'],
    [{ immediate: -1 }, 'retry.immediate: must be a whole number from 0, found -1'],
    [{ delayMs: 0.5 }, 'retry.delayMs: must be a whole number from 0, found 0.5'],
    [{ maxDelayMs: -5 }, 'retry.maxDelayMs: must be a whole number from 0, found -5'],
  ])('refuses %j', (given, problem) => {
    for (const make of policies)
      expect(() => make(given)).toThrow(new OptionsError(problem.split(':')[0]!, problem.split(': ')[1]!));
  });
});
