import { type Statement, type Store, TidingsError } from '@tidings/core';

/** How a process dies at a step: before anybody hears of it, or when it is done and nobody hears the answer. */
export type Death = 'unsent' | 'unheard';

/** The store of a process that dies at a step of its own: a statement, a transaction, or what else the spec does by `step`. All fail from then on. */
export class DyingStore {
  #left = Infinity;
  #how: Death = 'unsent';

  constructor(private readonly store: Store) {}

  /** After so many steps more. */
  dieAfter(steps: number, how: Death): this {
    [this.#left, this.#how] = [steps, how];
    return this;
  }

  get alive(): boolean {
    return this.#left >= 0;
  }

  async step<Result>(deed: () => Promise<Result>): Promise<Result> {
    const last = this.#left === 0;
    this.#left = Math.max(-1, this.#left - 1);
    if (!last && this.alive) return deed();
    if (last && this.#how === 'unheard') await deed();
    throw new TidingsError('TIDINGS_TEST_DEATH', 'this process is dead');
  }

  asStore(): Store {
    return new Proxy(this.store, {
      get: (target, property) => {
        if (property === 'query') return (statement: Statement) => this.step(() => target.query(statement));
        if (property === 'run') return (work: Parameters<Store['run']>[0]) => this.step(() => target.run(work));
        const found: unknown = Reflect.get(target, property);
        return typeof found === 'function' ? (found.bind(target) as unknown) : found;
      },
    });
  }
}
