import {
  type AmbientTransactions,
  type BeginsWithStatement,
  type Closeable,
  NotInTransactionError,
  OptionsError,
  type PooledStore,
  type QueryResult,
  type Statement,
  type Store,
  type Transaction,
} from '@tidings/core';
import type { ClientBase, Pool } from 'pg';
import { type Ambient, checkAmbient, currentOf } from './ambient';
import { beginAndQuery } from './begin-and-query';
import { ClientTransaction } from './client-transaction';
import { OwnConnections } from './own-connections';
import { asQueryResult } from './statement-query';
import { checkStoreOptions, type StoreOptions } from './store-options';
import { inTransaction, withTransaction } from './with-transaction';

/** A store on the user's pg pool. Its transactions carry the `client`: `clientOf(context)`. */
export class PgStore implements Store, AmbientTransactions, BeginsWithStatement, PooledStore {
  readonly schema: string;
  readonly #ambient: Ambient<ClientTransaction> | undefined;
  readonly #prepared: boolean;
  readonly #own: OwnConnections;
  readonly #open = new WeakMap<ClientBase, ClientTransaction>();

  constructor(
    private readonly pool: Pool,
    options: StoreOptions = {},
  ) {
    if (typeof pool?.connect !== 'function')
      throw new OptionsError('pg(pool)', `expected a Pool of the package pg, found ${typeof pool}`);
    const checked = checkStoreOptions('pg', options);
    this.schema = checked.schema;
    this.#prepared = checked.preparedStatements;
    this.#ambient = checkAmbient('pg', options.ambient);
    this.#own = new OwnConnections(checked, () => pool.options);
  }

  get poolSize(): number {
    return this.pool.options.max;
  }

  query<Row extends object = Record<string, unknown>>(statement: Statement): Promise<QueryResult<Row>> {
    return this.#own.query<Row>(statement);
  }

  run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return withTransaction(this.pool, (client) => this.#enter(client, work));
  }

  runFrom<T>(
    first: Statement,
    work: (transaction: Transaction, answer: QueryResult<object>) => Promise<T>,
  ): Promise<T> {
    return inTransaction(
      this.pool,
      (client) => beginAndQuery(client, first, this.#prepared),
      (client, answer) => this.#enter(client, (transaction) => work(transaction, asQueryResult(answer))),
    );
  }

  #enter<T>(client: ClientBase, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = this.join(client);
    return this.#ambient?.enter(transaction, () => work(transaction)) ?? work(transaction);
  }

  join(handle: unknown): ClientTransaction {
    if (handle instanceof ClientTransaction && handle.state !== 'open')
      throw new NotInTransactionError(`a transaction that has ended (${handle.state})`);
    const client = handle instanceof ClientTransaction ? handle.client : handle;
    if (!isClient(client)) throw new NotInTransactionError(describe(client));
    const known = this.#open.get(client);
    if (known?.state === 'open' && client.getTransactionStatus() === 'T') return known;
    const transaction = new ClientTransaction(client, this.#prepared);
    this.#open.set(client, transaction);
    return transaction;
  }

  joinCurrent(): ClientTransaction {
    return this.join(currentOf(this.#ambient, `pg store ${this.schema}`));
  }

  listen(channel: string, onNotify: (payload: string | undefined) => void): Promise<Closeable> {
    return this.#own.listen(channel, onNotify);
  }

  connect(): Promise<void> {
    return this.#own.connect();
  }

  close(): Promise<void> {
    return this.#own.close();
  }
}

/** A store on a pg pool. The pool stays the user's: Tidings never ends it. */
export const pg = (pool: Pool, options: StoreOptions = {}): PgStore => new PgStore(pool, options);

const isClient = (handle: unknown): handle is ClientBase =>
  typeof handle === 'object' &&
  handle !== null &&
  'getTransactionStatus' in handle &&
  typeof handle.getTransactionStatus === 'function';

function describe(handle: unknown): string {
  if (typeof handle !== 'object' || handle === null) return String(handle);
  if ('totalCount' in handle) return 'a Pool: take a client of it';
  return `a ${handle.constructor?.name ?? 'plain object'}`;
}
