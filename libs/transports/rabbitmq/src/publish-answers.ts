import type { PublishResult } from '@tidings/core';

/** The results of one call, which come in any order: one promise for all of them. What has come stays as it is. */
export class PublishAnswers {
  readonly #results: PublishResult[];
  #missing: number;
  #complete!: (results: readonly PublishResult[]) => void;
  /** Resolves, never rejects, with a result for each message, in their order. */
  readonly complete = new Promise<readonly PublishResult[]>((resolve) => (this.#complete = resolve));

  constructor(count: number) {
    this.#results = new Array<PublishResult>(count);
    this.#missing = count;
    if (count === 0) this.#complete(this.#results);
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  set(index: number, result: PublishResult): void {
    if (this.#results[index] !== undefined) return;
    this.#results[index] = result;
    this.#missing -= 1;
    if (this.#missing === 0) this.#complete(this.#results);
  }

  setRest(result: PublishResult): void {
    for (let index = 0; index < this.#results.length && !this.isComplete; index++) this.set(index, result);
  }
}
