import type { Clock } from '@tidings/core';

/** Waits for `work` to end, well or badly, but not longer than `ms`; tells whether it ended. For what the client may leave open for ever. */
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
