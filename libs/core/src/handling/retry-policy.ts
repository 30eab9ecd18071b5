import { ContractError, NewerVersionError, NonRetriableError, OptionsError } from '../errors';
import { park, reject, retry, type Settlement } from '../transport/settlement';

/** Decides what becomes of a failed attempt. Pure: the same error and attempt give the same kind of settlement. */
export interface RetryPolicy {
  /** Attempts made at once, in process, before a delay is taken. 0: none. They count as one attempt at the broker. */
  readonly immediate: number;
  /** Could the same message succeed if tried again? Says nothing about how often it was tried. */
  retriable(error: Error): boolean;
  /**
   * The longest time that all delays together take, in milliseconds; Infinity for a policy without an end. An inbox must remember a message at least
   * as long, and a start with a shorter retention is refused. Undefined: not known.
   */
  readonly longestMs?: number;
  /** `attempt` is the one that failed, 1 for the first. */
  settle(error: Error, attempt: number): Settlement;
}

export interface RetryOptions {
  /** Attempts in all, the first included; Infinity for ever. Default 5. */
  readonly attempts?: number;
  /** In-process attempts before each delay. Default 1; they mend a lost serialisation race without a round trip. */
  readonly immediate?: number;
  /** Before the second attempt. Default 1,000. */
  readonly delayMs?: number;
  /** No delay is longer. Default 60,000. */
  readonly maxDelayMs?: number;
  /** True for errors that no retry can mend; they are dead-lettered at once. Contract errors and `NonRetriableError` always are. */
  readonly nonRetriable?: (error: Error) => boolean;
}

const neverRetriable = (error: Error): boolean =>
  error instanceof NonRetriableError || error instanceof ContractError || error instanceof NewerVersionError;

/** Checked where the policy is made: a NaN would compare false with every attempt and retry for ever. */
function checkOptions({ attempts = 1, immediate = 0, delayMs = 0, maxDelayMs = 0 }: RetryOptions): void {
  const whole = (name: string, value: number, from: number): void => {
    if (value >= from && (Number.isInteger(value) || value === Infinity)) return;
    throw new OptionsError(`retry.${name}`, `must be a whole number from ${from}, found ${value}`);
  };
  whole('attempts', attempts, 1);
  whole('immediate', immediate, 0);
  whole('delayMs', delayMs, 0);
  whole('maxDelayMs', maxDelayMs, 0);
}

function policy(options: RetryOptions, delayBefore: (attempt: number) => number): RetryPolicy {
  checkOptions(options);
  const { attempts = 5, immediate = 1, maxDelayMs = 60_000, nonRetriable = () => false } = options;
  const retriable = (error: Error): boolean => !neverRetriable(error) && !nonRetriable(error);
  const delayMs = (attempt: number): number => Math.min(maxDelayMs, delayBefore(attempt));
  return Object.freeze({
    immediate,
    retriable,
    longestMs: longest(attempts, delayMs),
    settle(error: Error, attempt: number): Settlement {
      if (error instanceof NewerVersionError) return park(error.message, error);
      if (!retriable(error)) return reject(`not retriable: ${error.message}`, error);
      if (attempt >= attempts) return reject(`failed ${attempt} times, the last with: ${error.message}`, error);
      return retry(delayMs(attempt + 1), { error });
    },
  });
}

/** Delays of our policies no longer grow after this many attempts. */
const GROWING = 64;

function longest(attempts: number, delayMs: (attempt: number) => number): number {
  if (attempts === Infinity) return Infinity;
  const growing = Math.min(attempts, GROWING);
  let sum = (attempts - growing) * delayMs(growing);
  for (let attempt = 2; attempt <= growing; attempt++) sum += delayMs(attempt);
  return sum;
}

/** The same delay before each retry. */
export const fixed = (options: RetryOptions = {}): RetryPolicy => policy(options, () => options.delayMs ?? 1_000);

/** Doubles the delay with each retry: 1 s, 2 s, 4 s … up to `maxDelayMs`. */
export const exponential = (options: RetryOptions = {}): RetryPolicy =>
  policy(options, (attempt) => (options.delayMs ?? 1_000) * 2 ** Math.min(attempt - 2, 40));

/** One attempt, then the dead letters. */
export const never = (): RetryPolicy => policy({ attempts: 1, immediate: 0 }, () => 0);
