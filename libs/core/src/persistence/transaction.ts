/** A parameterised statement. `name` makes it a prepared one: the same name must always mean the same text. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
}

export interface QueryResult<Row> {
  readonly rows: Row[];
  /** Rows returned or affected. */
  readonly rowCount: number;
}

export interface Queryable {
  query<Row extends object = Record<string, unknown>>(statement: Statement): Promise<QueryResult<Row>>;
}

/**
 * An open database transaction, whoever began it. Statements run one after the other on its one connection. An adapter adds its own typed
 * handle (`manager` for TypeORM, `client` for pg).
 */
export interface Transaction extends Queryable {
  /**
   * Calls `hook` once, after the outermost transaction has committed; never when it rolls back. The hook must not throw and is not awaited: it is
   * for hints such as waking a relay, for a process may die before it runs.
   */
  afterCommit(hook: () => void): void;
}

/** Optional power of a transaction: to undo a part of its work and go on. */
export interface Savepoints {
  /**
   * Runs `work` behind a savepoint. When it rejects, all that it did in the transaction is undone, its afterCommit hooks included, and the rejection is
   * passed on; the transaction goes on. One at a time; `work` may make savepoints of its own.
   *
   * @throws TransactionLostError when there is no way back to the savepoint: the whole transaction has failed.
   */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

export const hasSavepoints = (transaction: Transaction | undefined): transaction is Transaction & Savepoints =>
  transaction !== undefined && 'savepoint' in transaction && typeof transaction.savepoint === 'function';
