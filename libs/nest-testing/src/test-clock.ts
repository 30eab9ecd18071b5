import { type Clock, systemClock } from '@tidings/core';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
  /** Ends its timer, which has one when the clock runs: else the process could not end before it. */
  readonly awake: AbortController;
}

/** A clock that stands still until it is moved; after `run`, it goes on with the system's, so that an application can stop. */
export class TestClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  /** Since when it runs, on the system's clock. */
  #runningSince: number | undefined;

  constructor(private nowMs: number = systemClock.now()) {}

  now(): number {
    return this.nowMs + (this.#runningSince === undefined ? 0 : systemClock.monotonic() - this.#runningSince);
  }

  monotonic(): number {
    return this.now();
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    if (this.#runningSince !== undefined) return systemClock.wait(ms, signal);
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        sleeper.awake.abort();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { dueMs: this.now() + ms, wake, awake: new AbortController() };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** When the next one wakes; undefined while nobody sleeps. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#sleepers) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }

  /** Wakes whoever is due by then, the earliest first; what they do happens in later turns. */
  moveTo(ms: number): void {
    if (ms > this.nowMs) this.nowMs = ms;
    const due = [...this.#sleepers].filter(({ dueMs }) => dueMs <= this.nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const { wake } of due) wake();
  }

  /** Goes on by itself from now on, for good. */
  run(): void {
    this.#runningSince ??= systemClock.monotonic();
    for (const { dueMs, wake, awake } of this.#sleepers)
      void systemClock.wait(dueMs - this.nowMs, awake.signal).then(wake);
  }
}
