import { NotInTransactionError, TidingsError } from '../errors';
import type { AmbientTransactions, Closeable, Store } from './store';
import type { QueryResult, Savepoints, Transaction } from './transaction';

/** A transaction of a `MemoryStore`: open → committed | rolledBack, once. */
export class MemoryTransaction implements Transaction, Savepoints {
  #state: 'open' | 'committed' | 'rolledBack' = 'open';
  readonly #hooks: (() => void)[] = [];
  #tellEnded!: () => void;
  /** Resolves when it has committed or rolled back, after its hooks. */
  readonly ended = new Promise<void>((resolve) => (this.#tellEnded = resolve));

  get state(): 'open' | 'committed' | 'rolledBack' {
    return this.#state;
  }

  /** There is no database behind it. @throws TidingsError */
  query<Row extends object>(): Promise<QueryResult<Row>> {
    return noSql();
  }

  /** Also the way to write: what a hook does takes effect with the commit, before anybody else runs, and never when it rolls back. */
  afterCommit(hook: () => void): void {
    if (this.#state !== 'open') throw new NotInTransactionError(`a transaction that has ended (${this.#state})`);
    this.#hooks.push(hook);
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#hooks.length;
    try {
      return await work();
    } catch (thrown) {
      this.#hooks.splice(before);
      throw thrown;
    }
  }

  /** For the store that opened it. Does nothing when it has ended. */
  end(outcome: 'committed' | 'rolledBack'): void {
    if (this.#state !== 'open') return;
    this.#state = outcome;
    const hooks = this.#hooks.splice(0);
    if (outcome === 'committed') for (const hook of hooks) hook();
    this.#tellEnded();
  }
}

export interface MemoryStoreOptions {
  /**
   * What user code finds in a transaction beside it, as `{ manager }` for `managerOf(context)`: its own fakes, made for each transaction. They can be
   * joined as the transaction can; what they write they put into `transaction.afterCommit`, so that it rolls back. Default none.
   */
  readonly handles?: (transaction: MemoryTransaction) => Readonly<Record<string, object>>;
  /** Knows which transaction is open where code runs, something on AsyncLocalStorage. Default: none is known. */
  readonly ambient?: {
    current(): unknown;
    enter<T>(transaction: MemoryTransaction, work: () => Promise<T>): Promise<T>;
  };
}

/**
 * Transactions without a database, for tests: commit and rollback are what a caller sees of them, and statements are refused. No isolation beyond that: a
 * transaction sees nothing of its own before the commit. Memory-backed patterns (MemoryInbox, MemoryLog) keep their data beside it.
 */
export class MemoryStore implements Store, AmbientTransactions {
  readonly schema = 'memory';
  readonly #joined = new WeakMap<object, MemoryTransaction>();

  constructor(private readonly options: MemoryStoreOptions = {}) {}

  query<Row extends object>(): Promise<QueryResult<Row>> {
    return noSql();
  }

  async run<T>(work: (transaction: MemoryTransaction) => Promise<T>): Promise<T> {
    const { handles, ambient } = this.options;
    const transaction = new MemoryTransaction();
    const made = handles?.(transaction) ?? {};
    for (const handle of Object.values(made)) this.#joined.set(handle, transaction);
    Object.assign(transaction, made);
    try {
      const result = await (ambient?.enter(transaction, () => work(transaction)) ?? work(transaction));
      transaction.end('committed');
      return result;
    } finally {
      transaction.end('rolledBack');
    }
  }

  join(handle: unknown): MemoryTransaction {
    const transaction =
      handle instanceof MemoryTransaction || typeof handle !== 'object' || handle === null
        ? handle
        : this.#joined.get(handle);
    if (!(transaction instanceof MemoryTransaction))
      throw new NotInTransactionError(
        handle === null || typeof handle !== 'object' ? String(handle) : `a ${handle.constructor?.name ?? 'plain object'} that no in-memory transaction made`, // prettier-ignore
        'this application runs on an in-memory store: open its transaction, or give it the handles that the code asks for',
      );
    if (transaction.state !== 'open')
      throw new NotInTransactionError(`a transaction that has ended (${transaction.state})`);
    return transaction;
  }

  joinCurrent(): MemoryTransaction {
    return this.join(this.options.ambient?.current());
  }

  /** There is no other process to hear of. */
  async listen(): Promise<Closeable> {
    return { close: async () => undefined };
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {}
}

const noSql = (): Promise<never> =>
  Promise.reject(
    new TidingsError(
      'TIDINGS_NO_SQL',
      'an in-memory store runs no statement; test what needs one on a database, as @tidings/embedded-postgres starts it',
    ),
  );
