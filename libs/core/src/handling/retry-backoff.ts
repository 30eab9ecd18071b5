import { NewerVersionError } from '../errors';
import { park, reject, retry, type Settlement } from '../transport/settlement';
import { jittered } from './retry-jitter';
import { BACKOFF_DEFAULTS, type CheckedBackoff, checkRetryOptions, type RetryBackoff, type RetryOptions } from './retry-options'; // prettier-ignore
import type { RetryDescription, RetryPolicy } from './retry-policy';
import { nameOfMatch, ruleFor } from './retry-rules';

type Growth = (delayMs: number, nth: number) => number;

/** The same delay before each retry. */
export const fixed = (options: RetryOptions = {}): RetryPolicy => policy('fixed', options, (delayMs) => delayMs);

/** One `delayMs` longer with each retry: 1 s, 2 s, 3 s … up to `maxDelayMs`. */
export const linear = (options: RetryOptions = {}): RetryPolicy =>
  policy('linear', options, (delayMs, nth) => delayMs * nth);

/** Doubles the delay with each retry: 1 s, 2 s, 4 s … up to `maxDelayMs`. */
export const exponential = (options: RetryOptions = {}): RetryPolicy =>
  policy('exponential', options, (delayMs, nth) => delayMs * 2 ** Math.min(nth - 1, 40));

/** One attempt, then the dead letters. */
export const never = (): RetryPolicy => policy('never', { attempts: 1, immediate: 0 }, () => 0);

function policy(kind: string, options: RetryOptions, growth: Growth): RetryPolicy {
  checkRetryOptions(options);
  const { immediate = 1, maxElapsedMs, maxRetryAfterMs = 300_000, on = [], random = Math.random } = options;
  const own = withDefaults(options, BACKOFF_DEFAULTS);
  const backoffs = [own, ...on.flatMap(([, rule]) => (rule === 'never' ? [] : [withDefaults(rule, own)]))];
  const computed = ({ delayMs, maxDelayMs }: CheckedBackoff, nth: number): number =>
    Math.min(maxDelayMs, growth(delayMs, nth));
  // After a time-out an attempt that could have been made at once waits, too: as long as the first that must.
  const nthOf = (attempt: number): number => Math.max(1, attempt - immediate);
  const describe = (): RetryDescription => ({
    kind,
    ...plain(own),
    immediate,
    maxRetryAfterMs,
    ...(maxElapsedMs !== undefined && { maxElapsedMs }),
    rules: on.map(([match, rule]) => ({
      on: nameOfMatch(match),
      ...(rule === 'never' ? { retry: false } : plain(withDefaults(rule, own))),
    })),
  });
  const made: RetryPolicy & { toJSON: () => RetryDescription } = {
    immediate,
    ...(maxElapsedMs !== undefined && { maxElapsedMs }),
    retriable: (error) => ruleFor(error, options) !== 'never',
    longestMs: Math.min(
      maxElapsedMs ?? Infinity,
      longest(backoffs, maxRetryAfterMs, (backoff, attempt) => computed(backoff, nthOf(attempt))),
    ),
    settle(error: Error, attempt: number): Settlement {
      if (error instanceof NewerVersionError) return park(error.message, error);
      const rule = ruleFor(error, options);
      if (rule === 'never') return reject(`not retriable: ${error.message}`, error);
      const backoff = rule ? withDefaults(rule, own) : own;
      if (attempt >= backoff.attempts) return reject(`failed ${attempt} times, the last with: ${error.message}`, error);
      const nth = nthOf(attempt);
      const delayMs = jittered(backoff.jitter, computed(backoff, nth), nth, backoff, random);
      return retry(Math.max(delayMs, Math.min(maxRetryAfterMs, retryAfterOf(error) ?? 0)), { error });
    },
    describe,
    toJSON: describe,
  };
  return Object.freeze(made);
}

/** What the error asks for, as a server's Retry-After; whoever made the error. */
export function retryAfterOf(error: Error): number | undefined {
  const asked = (error as { retryAfterMs?: unknown }).retryAfterMs;
  return typeof asked === 'number' && asked >= 0 ? Math.ceil(asked) : undefined;
}

function withDefaults(given: RetryBackoff, defaults: CheckedBackoff): CheckedBackoff {
  const { attempts, delayMs, maxDelayMs, jitter } = defaults;
  return {
    attempts: given.attempts ?? attempts,
    delayMs: given.delayMs ?? delayMs,
    maxDelayMs: given.maxDelayMs ?? maxDelayMs,
    jitter: given.jitter ?? jitter,
  };
}

const plain = ({ attempts, ...rest }: CheckedBackoff) => ({
  attempts: attempts === Infinity ? ('unlimited' as const) : attempts,
  ...rest,
});

/** So many delays are summed up one by one; what is past them is taken as the longest that any error still causes. */
const SUMMED = 64;

/** Each delay the longest that any error may cause: jitter only shortens, but for the decorrelated one, whose limit is `maxDelayMs`. */
function longest(
  backoffs: readonly CheckedBackoff[],
  maxRetryAfterMs: number,
  delayAfter: (backoff: CheckedBackoff, attempt: number) => number,
): number {
  const retries = Math.max(...backoffs.map(({ attempts }) => attempts)) - 1;
  if (retries <= 0) return 0;
  if (retries === Infinity) return Infinity;
  const atMost = (backoff: CheckedBackoff, attempt: number): number =>
    backoff.jitter === 'decorrelated' ? backoff.maxDelayMs : delayAfter(backoff, attempt);
  const slowest = (from: number, attemptOf: (backoff: CheckedBackoff) => number): number =>
    Math.max(
      maxRetryAfterMs,
      ...backoffs.filter(({ attempts }) => attempts > from).map((one) => atMost(one, attemptOf(one))),
    );
  const summed = Math.min(retries, SUMMED);
  let sum = retries > summed ? (retries - summed) * slowest(summed + 1, ({ attempts }) => attempts - 1) : 0;
  for (let attempt = 1; attempt <= summed; attempt++) sum += slowest(attempt, () => attempt);
  return sum;
}
