import type { Clock } from '@tidings/core';

/** How long a broker has for its part in closing something. */
export const CLOSE_MS = 2_000;

/** Waits for `work` to end, well or badly, but not longer than `ms`; tells whether it ended. */
export async function endedWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  let ended = false;
  const end = (): void => {
    ended = true;
    over.abort();
  };
  work.then(end, end);
  await clock.wait(ms, over.signal);
  return ended;
}
