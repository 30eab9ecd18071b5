import type { Clock } from '@tidings/core';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a spec moves it. */
export class ManualClock implements Clock {
  /** What was asked to wait for, in order: a spec reads delays from here. */
  readonly waits: number[] = [];
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs = 1_800_000_000_000) {
    this.#now = startMs;
  }

  /** Waits that are going on. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.waits.push(ms);
      if (signal?.aborted) return resolve();
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Moves on, and wakes in due order whoever waited up to here. What they do then happens in later turns: wait for it by `until`. */
  advance(ms: number): void {
    this.#now += ms;
    const due = [...this.#sleepers].filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const { wake } of due) wake();
  }
}
