import type { Settlement } from '../transport/settlement';

/**
 * Decides what becomes of a failed attempt. Pure but for jitter: the same error and attempt give the same kind of settlement, in whatever process.
 * That is what makes attempts exact in a cluster: the number of the attempt travels with the message, and nobody keeps a count of its own.
 */
export interface RetryPolicy {
  /** The first so many retries are made at once, in process. Each counts as an attempt. 0: none. */
  readonly immediate: number;
  /** Could the same message succeed if tried again? Says nothing about how often it was tried. */
  retriable(error: Error): boolean;
  /**
   * The longest time that all delays together take, in milliseconds; Infinity for a policy without an end. An inbox must remember a message at least
   * as long, and a start with a shorter retention is refused. Undefined: not known.
   */
  readonly longestMs?: number;
  /**
   * No retry begins later than this after the message's first failure, in milliseconds, by the clock of the store that notes failures. Needs a store.
   * Undefined: attempts alone decide.
   */
  readonly maxElapsedMs?: number;
  /** `attempt` is the one that failed: 1 for the first run of the handler, immediate ones included. */
  settle(error: Error, attempt: number): Settlement;
  /** The policy as plain data, for people and endpoints; JSON.stringify of a policy gives the same. */
  describe?(): RetryDescription;
}

/** What JSON can hold: an endless number of attempts is `unlimited`. */
export interface RetryDescription {
  readonly kind: string;
  readonly attempts: number | 'unlimited';
  readonly immediate: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
  readonly jitter: string;
  readonly maxRetryAfterMs: number;
  readonly maxElapsedMs?: number;
  /** By error, the first that matches counts. `on` is the class's or the predicate's name. */
  readonly rules: readonly ({ readonly on: string } & Readonly<Record<string, string | number | boolean>>)[];
}
