/** One at a time, in the order they came. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves with what ends the turn, when those before have ended theirs. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end!: () => void;
    this.#last = new Promise((resolve) => (end = resolve));
    await before;
    return end;
  }
}
