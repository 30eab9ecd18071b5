import fc from 'fast-check';
import {
  ContractError,
  NewerVersionError,
  NonRetriableError,
  OptionsError,
  RetryAfterError,
  TimeoutError,
} from '../errors';
import { exponential, fixed, linear, never } from './retry-backoff';
import type { RetryOptions } from './retry-options';
import type { RetryPolicy } from './retry-policy';

const error = new Error('database away');
const options = fc.record({
  attempts: fc.integer({ min: 1, max: 1_000 }),
  immediate: fc.nat({ max: 10 }),
  delayMs: fc.nat({ max: 100_000 }),
  maxDelayMs: fc.nat({ max: 1_000_000 }),
});
const policies = [fixed, linear, exponential];
const delays = (policy: RetryPolicy, attempts = [1, 2, 3, 4], thrown: Error = error): unknown[] =>
  attempts.map((attempt) => (policy.settle(thrown, attempt) as { afterMs?: number }).afterMs);

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

  it('stays, grows by its first delay or doubles, up to its limit, counted from the first retry that waits', () => {
    expect(delays(exponential({ immediate: 0, maxDelayMs: 3_500 }))).toEqual([1_000, 2_000, 3_500, 3_500]);
    expect(delays(exponential({ immediate: 2, maxDelayMs: 3_500 }))).toEqual([1_000, 1_000, 1_000, 2_000]);
    expect(delays(linear({ immediate: 0, maxDelayMs: 3_500 }))).toEqual([1_000, 2_000, 3_000, 3_500]);
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

  it('gives errors numbers of their own, by the first rule that matches', () => {
    const policy = exponential({
      immediate: 0,
      on: [
        [TimeoutError, { attempts: 2, delayMs: 7 }],
        [(one) => one.message === 'gone', 'never'],
        [Error, { jitter: 'full' }],
      ],
      random: () => 0.5,
    });
    const late = new TimeoutError('RankGift.rank', 50);
    expect(policy.settle(late, 1)).toMatchObject({ kind: 'retry', afterMs: 7 });
    expect(policy.settle(late, 2)).toMatchObject({ kind: 'reject' });
    expect(policy.settle(new Error('gone'), 1)).toMatchObject({ kind: 'reject', reason: 'not retriable: gone' });
    expect(policy.retriable(new Error('gone'))).toBe(false);
    expect(delays(policy)).toEqual([500, 1_000, 2_000, 4_000]);
    expect(fixed({ on: [[NonRetriableError, { attempts: 9 }]] }).settle(new NonRetriableError('no'), 1).kind).toBe(
      'reject',
    );
  });

  it('comes back when the error says, not sooner than by its own delay and not later than its limit', () => {
    const after = (ms: number) => new RetryAfterError('429', ms);
    const policy = fixed({ delayMs: 100, maxRetryAfterMs: 5_000 });
    expect([50, 700.2, 9_000].map((ms) => delays(policy, [1], after(ms))[0])).toEqual([100, 701, 5_000]);
    expect(delays(policy, [1], Object.assign(new Error('503'), { retryAfterMs: 200 }))).toEqual([200]);
    for (const odd of [-1, NaN, '5'])
      expect(delays(policy, [1], Object.assign(new Error('503'), { retryAfterMs: odd }))).toEqual([100]);
    expect(policy.settle(after(50), 5).kind).toBe('reject');
  });

  describe('with jitter', () => {
    const drawing = (...draws: number[]) => {
      let drawn = 0;
      return () => draws[drawn++ % draws.length]!;
    };
    const given = { immediate: 0, delayMs: 1_000, maxDelayMs: 10_000 } as const;

    it('draws from what its kind says', () => {
      const of = (jitter: RetryOptions['jitter'], random: () => number) =>
        delays(exponential({ ...given, ...(jitter && { jitter }), random }));
      expect(of('none', () => 0)).toEqual([1_000, 2_000, 4_000, 8_000]);
      expect(of('full', () => 0)).toEqual([0, 0, 0, 0]);
      expect(of('full', () => 0.25)).toEqual([250, 500, 1_000, 2_000]);
      expect(of('equal', () => 0)).toEqual([500, 1_000, 2_000, 4_000]);
      expect(of('equal', () => 0.5)).toEqual([750, 1_500, 3_000, 6_000]);
      expect(of('decorrelated', () => 0)).toEqual([1_000, 1_000, 1_000, 1_000]);
      // 1,000 to 3 × the one before, halfway: 1 → 2 → 3.5 → 5.75 → 9.125 s
      expect(of('decorrelated', () => 0.5)).toEqual([2_000, 3_500, 5_750, 9_125]);
      expect(delays(exponential({ ...given, jitter: 'decorrelated', random: drawing(0.5, 0) }), [2])).toEqual([1_000]);
    });

    it('is never below 0 nor above its limit', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...policies),
          fc.constantFrom('full', 'equal', 'decorrelated'),
          options,
          fc.integer({ min: 1, max: 200 }),
          fc.double({ min: 0, max: 0.999999, noNaN: true }),
          (make, jitter, numbers, attempt, drawn) => {
            const policy = make({ ...numbers, attempts: 300, jitter: jitter as 'full', random: () => drawn });
            const [delay] = delays(policy, [attempt]) as [number];
            expect(Number.isInteger(delay) && delay >= 0 && delay <= numbers.maxDelayMs).toBe(true);
          },
        ),
      );
    });
  });

  it('tells the longest time that its delays may take, whatever error and jitter', () => {
    const jitters = fc.constantFrom('none', 'full', 'equal', 'decorrelated');
    const backoff = fc.record({
      attempts: fc.integer({ min: 1, max: 90 }),
      delayMs: fc.nat({ max: 1_000 }),
      maxDelayMs: fc.nat({ max: 50_000 }),
      jitter: jitters,
    });
    const errors = [error, new RangeError('x'), new RetryAfterError('429', 4_000)];
    fc.assert(
      fc.property(
        fc.constantFrom(...policies),
        backoff,
        backoff,
        fc.nat({ max: 3 }),
        fc.array(fc.constantFrom(...errors), { minLength: 91, maxLength: 91 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (make, own, rule, immediate, thrown, drawn) => {
          const policy = make({
            ...(own as RetryOptions),
            immediate,
            maxRetryAfterMs: 3_000,
            on: [[RangeError, rule]],
            random: () => drawn,
          });
          let waited = 0;
          for (let attempt = 1; ; attempt++) {
            const settlement = policy.settle(thrown[attempt]!, attempt);
            if (settlement.kind !== 'retry') break;
            waited += settlement.afterMs;
          }
          expect(waited).toBeLessThanOrEqual(policy.longestMs!);
        },
      ),
    );
    expect(fixed({ attempts: Infinity }).longestMs).toBe(Infinity);
    expect(fixed({ attempts: Infinity, maxElapsedMs: 5_000 }).longestMs).toBe(5_000);
  });

  it('is plain data for who asks', () => {
    const policy = exponential({
      attempts: Infinity,
      maxElapsedMs: 60_000,
      on: [
        [TimeoutError, { attempts: 3, jitter: 'full' }],
        [function busy() { return false; }, 'never'], // prettier-ignore
      ],
    });
    const plain = {
      kind: 'exponential',
      attempts: 'unlimited',
      immediate: 1,
      delayMs: 1_000,
      maxDelayMs: 60_000,
      jitter: 'none',
      maxRetryAfterMs: 300_000,
      maxElapsedMs: 60_000,
      rules: [
        { on: 'TimeoutError', attempts: 3, delayMs: 1_000, maxDelayMs: 60_000, jitter: 'full' },
        { on: 'busy', retry: false },
      ],
    };
    expect(policy.describe?.()).toEqual(plain);
    expect(JSON.parse(JSON.stringify(policy))).toEqual(plain);
    expect(never().describe?.()).toMatchObject({ kind: 'never', attempts: 1 });
  });

  it.each<[RetryOptions, string, string]>([
    [{ maxElapsedMs: 0 }, 'retry.maxElapsedMs', 'must be a whole number from 1, found 0'],
    [{ maxRetryAfterMs: NaN }, 'retry.maxRetryAfterMs', 'must be a whole number from 0, found NaN'],
    [{ jitter: 'half' as never }, 'retry.jitter', 'must be one of none, full, equal, decorrelated, found half'],
    [{ on: [[TimeoutError, { attempts: 0 }]] }, 'retry.on.0.1.attempts', 'must be a whole number from 1, found 0'],
    [{ on: [['x' as never, 'never']] }, 'retry.on.0.0', 'must be an error class or a predicate, found string'],
    [{ on: [[Error, 'no' as never]] }, 'retry.on.0.1', "must be { attempts, delayMs, … } or 'never', found no"],
  ])('refuses %o', (given, path, problem) => {
    for (const make of policies) expect(() => make(given)).toThrow(new OptionsError(path, problem));
  });
});
