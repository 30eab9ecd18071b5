import type { Clock } from './clock';

/**
 * Waits for `work` to end, well or badly, but not longer than `ms`; tells whether it ended. For everything that needs an answer from a broker while
 * closing: a client that lost its broker tries for long before it gives up, and some leave a promise open for ever (amqplib, when the connection breaks
 * during a handshake).
 */
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

/** How long a broker has for its part in closing something. */
export const CLOSE_MS = 2_000;
