import type { Queryable, QueryResult, Statement, Transaction } from './transaction';

export interface Closeable {
  close(): Promise<void>;
}

/**
 * A database that holds Tidings' tables beside the user's. Statements of `query` run each by itself, on connections of Tidings' own (few, and set
 * up so that plans do not depend on statistics); transactions run on the user's pool, where the user's data is.
 */
export interface Store extends Queryable {
  /** Tidings' schema in it, as `tidings`. Quoted by whoever builds SQL with it: use `table(store, name)`. */
  readonly schema: string;
  /**
   * Runs `work` in a transaction that commits when it resolves and rolls back when it rejects; the rejection is passed on. When that is a TimeoutError
   * the work is still running: its connection is ended without a word to the server, so that nothing of it can commit or block the next one.
   */
  run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * The user's open transaction, from what the user has in hand: an EntityManager, a QueryRunner, a pg client, or a `Transaction` itself.
   * @throws NotInTransactionError when no transaction is open there.
   */
  join(handle: unknown): Transaction;
  /** Calls `onNotify` for each NOTIFY on the channel, and with `undefined` after a lost connection: what was missed is unknown. */
  listen(channel: string, onNotify: (payload: string | undefined) => void): Promise<Closeable>;
  /** Safe twice. Rejects when the database cannot be reached. */
  connect(): Promise<void>;
  /** Ends Tidings' own connections; the user's pool stays the user's. Safe twice. */
  close(): Promise<void>;
}

/** What a store may be able to do beside: know the transaction that is open where it is asked, without being handed it. */
export interface AmbientTransactions {
  /** @throws NotInTransactionError when none is open here, or when the store was not told how to find it. */
  joinCurrent(): Transaction;
}

/** What a store may be able to do beside: send the first statement of a transaction together with its BEGIN, in one round trip. */
export interface BeginsWithStatement {
  /** As `run`; `work` also has what the statement answered. Rejects with the statement's error, `work` not called and nothing committed, when it fails. */
  runFrom<T>(first: Statement, work: (transaction: Transaction, answer: QueryResult<object>) => Promise<T>): Promise<T>;
}

/** `runFrom` of any store: in one round trip where it can. */
export function runFrom<T>(
  store: Pick<Store, 'run'> & Partial<BeginsWithStatement>,
  first: Statement,
  work: (transaction: Transaction, answer: QueryResult<object>) => Promise<T>,
): Promise<T> {
  if (store.runFrom) return store.runFrom(first, work);
  return store.run(async (transaction) => work(transaction, await transaction.query(first)));
}

/** Optional power: tells how many connections its transactions share. */
export interface PooledStore {
  readonly poolSize: number;
}

/** A name as SQL text. Doubling the quotes makes any name safe. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A table, sequence or function of Tidings, qualified and quoted. */
export const table = (store: Pick<Store, 'schema'>, name: string): string => `${quoted(store.schema)}.${quoted(name)}`;
