import type { Clock } from '@tidings/core';

/** Lets one waiter go on; a wake while nobody waits is remembered. */
export class Wake {
  #woken = false;
  #waiting: AbortController | undefined;

  wake(): void {
    this.#woken = true;
    this.#waiting?.abort();
  }

  /** Until it is woken, `signal` aborts or `ms` are over. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      const waiting = new AbortController();
      this.#waiting = waiting;
      const end = (): void => waiting.abort();
      signal.addEventListener('abort', end, { once: true });
      await clock.wait(ms, waiting.signal);
      signal.removeEventListener('abort', end);
      this.#waiting = undefined;
    }
    this.#woken = false;
  }
}
