import type { Clock } from '@tidings/core';

interface Delayed {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Work that is due later. It keeps its timers only between `start` and `stop`: a broker that nobody uses must not keep a process alive. */
export class DelayQueue {
  readonly #pending = new Set<Delayed>();
  #running: AbortController | undefined;

  constructor(private readonly clock: Clock) {}

  /** Safe twice. What came due while stopped runs now. */
  start(): void {
    if (this.#running) return;
    this.#running = new AbortController();
    for (const delayed of this.#pending) void this.#wait(delayed, this.#running.signal);
  }

  /** Safe twice. Forgets nothing. */
  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  add(afterMs: number, run: () => void): void {
    const delayed = { dueMs: this.clock.monotonic() + afterMs, run };
    this.#pending.add(delayed);
    if (this.#running) void this.#wait(delayed, this.#running.signal);
  }

  async #wait(delayed: Delayed, signal: AbortSignal): Promise<void> {
    // Timers may fire a millisecond early, and take 2^31 ms at most.
    for (let leftMs; (leftMs = delayed.dueMs - this.clock.monotonic()) > 0 && !signal.aborted;) {
      await this.clock.wait(Math.min(Math.ceil(leftMs), 2_147_483_647), signal);
    }
    if (!signal.aborted && this.#pending.delete(delayed)) delayed.run();
  }
}
