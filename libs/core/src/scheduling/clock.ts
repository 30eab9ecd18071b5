/**
 * This process's clock: for local timers and for stamping where there is no database. Leases, due times and everything that two processes
 * compare come from the database's clock (`tidings.now()`).
 */
export interface Clock {
  /** Milliseconds since 1970, may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start, never goes back: for durations. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What a timer of Node takes at most, 24.8 days; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });

/** The only place that reads the process's clock (a lint rule keeps it so). */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async wait(ms, signal) {
    let left = ms;
    for (; left > LONGEST_TIMER_MS && !signal?.aborted; left -= LONGEST_TIMER_MS) await sleep(LONGEST_TIMER_MS, signal);
    await sleep(left, signal);
  },
};

/** RFC 3339 text of an instant, and its date: kept here because `Date` is not used elsewhere. */
export const timestampOf = (millis: number): string => new Date(millis).toISOString();
export const dateOf = (millis: number): string => timestampOf(millis).slice(0, 10);
