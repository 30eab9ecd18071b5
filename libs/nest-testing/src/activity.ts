/** Tells that something happened, and when nothing does any more. */
export class Activity {
  #count = 0;
  readonly #waiting: (() => void)[] = [];

  happened(): void {
    this.#count += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves at the next thing that happens. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Resolves when nothing happened for a few turns of the event loop. Between the steps of a delivery there are promises and one `setImmediate` at most,
   * so what is quiet for so long waits for something outside: a handler's own work, or the clock.
   */
  async quiet(): Promise<void> {
    for (let seen = -1; seen !== this.#count;) {
      seen = this.#count;
      for (let turn = 0; turn < QUIET_TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

const QUIET_TURNS = 5;
