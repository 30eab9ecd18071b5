import type { Pace } from './pace';

/** Asks a pace, and when it says to wait, waits once for all and tells when to ask again. */
export class PaceGate {
  #waiting: AbortController | undefined;

  constructor(
    private readonly pace: Pace | undefined,
    private readonly askAgain: () => void,
  ) {}

  /** To be asked last: what it grants is spent. */
  grants(count: number): boolean {
    if (!this.pace) return true;
    if (this.#waiting) return false;
    const waiting = new AbortController();
    const granted = this.pace.take(count, waiting.signal);
    if (granted === true) return true;
    this.#waiting = waiting;
    void granted.then(() => {
      this.#waiting = undefined;
      this.askAgain();
    });
    return false;
  }

  stop(): void {
    this.#waiting?.abort();
  }
}
