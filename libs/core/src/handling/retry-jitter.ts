/**
 * How delays are spread, so that what failed together does not come back together.
 * - `none`: as computed.
 * - `full`: anything from 0 to the delay. The least work for who is being retried.
 * - `equal`: half of the delay, and anything up to its other half: never almost at once.
 * - `decorrelated`: anything from `delayMs` to three times the delay before. No process remembers that one, so it is drawn anew, from the first on.
 *
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export type RetryJitter = 'none' | 'full' | 'equal' | 'decorrelated';

export const JITTERS: readonly RetryJitter[] = ['none', 'full', 'equal', 'decorrelated'];

export interface JitterBounds {
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

/** The delay that is really taken, whole milliseconds, never above `maxDelayMs`. `nth` counts delays from 1; `random` gives 0 ≤ x < 1. */
export function jittered(
  jitter: RetryJitter,
  computed: number,
  nth: number,
  { delayMs, maxDelayMs }: JitterBounds,
  random: () => number,
): number {
  switch (jitter) {
    case 'none':
      return computed;
    case 'full':
      return Math.round(random() * computed);
    case 'equal':
      return Math.round(computed / 2 + (random() * computed) / 2);
    case 'decorrelated':
      return decorrelated(nth, delayMs, maxDelayMs, random);
  }
}

/** At three times the last one, every limit is reached long before. */
const DRAWS = 64;

function decorrelated(nth: number, first: number, limit: number, random: () => number): number {
  let delay = Math.min(first, limit);
  for (let draw = 1; draw <= Math.min(nth, DRAWS); draw++) {
    delay = Math.min(limit, first + random() * (delay * 3 - first));
  }
  return Math.round(delay);
}
