import type { Store } from '@tidings/core';
import { listParked } from './sql/list-parked';

interface Question {
  readonly identity: Buffer;
  readonly answer: (parked: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Asks whether keys are parked. One statement at a time: what is asked while it is on its way is asked together by the next. A single message pays a
 * short statement on Tidings' own connections; a busy consumer pays one for many messages.
 */
export class ParkedLookup {
  readonly #asked: Question[] = [];
  #asking = false;

  constructor(private readonly store: Store) {}

  /** Seen by a snapshot that is taken after the call. Rejects when the store is away. */
  isParked(identity: Buffer): Promise<boolean> {
    return new Promise((answer, fail) => {
      this.#asked.push({ identity, answer, fail });
      if (!this.#asking) void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#asked.length > 0) {
      const asked = this.#asked.splice(0);
      try {
        const parked = await listParked(
          this.store,
          asked.map(({ identity }) => identity),
        );
        for (const { identity, answer } of asked) answer(parked.has(identity.toString('hex')));
      } catch (thrown) {
        for (const { fail } of asked) fail(thrown);
      }
    }
    this.#asking = false;
  }
}
