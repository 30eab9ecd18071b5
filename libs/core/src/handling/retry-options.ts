import { OptionsError } from '../errors';
import { JITTERS, type RetryJitter } from './retry-jitter';
import type { RetryRule } from './retry-rules';

/** How often, and how far apart. */
export interface RetryBackoff {
  /** Runs of the handler in all, the first and immediate ones included, in all processes together; Infinity for ever. Default 5. */
  readonly attempts?: number;
  /** Before the first retry that waits. Default 1,000. */
  readonly delayMs?: number;
  /** No delay of the policy's own is longer. Default 60,000. */
  readonly maxDelayMs?: number;
  /** Default `none`. */
  readonly jitter?: RetryJitter;
}

export interface RetryOptions extends RetryBackoff {
  /**
   * The first retries, made at once, in process, before the first delay; they mend a lost serialisation race without a round trip. Not after a
   * time-out, nor when the error says when to come back. Default 1.
   */
  readonly immediate?: number;
  /**
   * No retry begins later than this after the message's first failure, by the store's clock: a message that would is dead-lettered instead. Needs a
   * store. Default: attempts alone decide.
   */
  readonly maxElapsedMs?: number;
  /** An error that says when to come back (`retryAfterMs`, as RetryAfterError) is obeyed up to here; past it, this long is waited. Default 300,000. */
  readonly maxRetryAfterMs?: number;
  /** By error, the first that matches counts: `on: [[TimeoutError, { attempts: 3 }], [NotFoundError, 'never']]`. Default none. */
  readonly on?: readonly RetryRule[];
  /** True for errors that no retry can mend; they are dead-lettered at once. Contract errors and `NonRetriableError` always are. */
  readonly nonRetriable?: (error: Error) => boolean;
  /** 0 ≤ x < 1, for jitter. Default Math.random. */
  readonly random?: () => number;
}

export type CheckedBackoff = Required<RetryBackoff>;

export const BACKOFF_DEFAULTS: CheckedBackoff = { attempts: 5, delayMs: 1_000, maxDelayMs: 60_000, jitter: 'none' };

/**
 * Checked where the policy is made: a NaN would compare false with every attempt and retry for ever.
 *
 * @throws OptionsError that names the option below `retry`.
 */
export function checkRetryOptions(options: RetryOptions): void {
  checkBackoff('retry', options);
  whole('retry.immediate', options.immediate, 0);
  whole('retry.maxElapsedMs', options.maxElapsedMs, 1);
  whole('retry.maxRetryAfterMs', options.maxRetryAfterMs, 0);
  options.on?.forEach((rule, index) => checkRule(`retry.on.${index}`, rule));
}

function checkRule(path: string, [match, backoff]: RetryRule): void {
  if (typeof match !== 'function')
    throw new OptionsError(`${path}.0`, `must be an error class or a predicate, found ${typeof match}`);
  if (backoff === 'never') return;
  if (typeof backoff !== 'object' || backoff === null)
    throw new OptionsError(`${path}.1`, `must be { attempts, delayMs, … } or 'never', found ${String(backoff)}`);
  checkBackoff(`${path}.1`, backoff);
}

function checkBackoff(path: string, { attempts, delayMs, maxDelayMs, jitter }: RetryBackoff): void {
  whole(`${path}.attempts`, attempts, 1);
  whole(`${path}.delayMs`, delayMs, 0);
  whole(`${path}.maxDelayMs`, maxDelayMs, 0);
  if (jitter !== undefined && !JITTERS.includes(jitter))
    throw new OptionsError(`${path}.jitter`, `must be one of ${JITTERS.join(', ')}, found ${String(jitter)}`);
}

function whole(path: string, value: number | undefined, from: number): void {
  if (value === undefined || (value >= from && (Number.isInteger(value) || value === Infinity))) return;
  throw new OptionsError(path, `must be a whole number from ${from}, found ${value}`);
}
