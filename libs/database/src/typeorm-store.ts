import {
  type AmbientTransactions,
  type Closeable,
  NotInTransactionError,
  OptionsError,
  type PooledStore,
  type QueryResult,
  type Statement,
  type Store,
  TidingsError,
  TimeoutError,
  type Transaction,
} from '@tidings/core';
import type { ClientBase, Pool } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { type Ambient, checkAmbient, currentOf } from './ambient';
import { OwnConnections } from './own-connections';
import { checkStoreOptions, type StoreOptions } from './store-options';
import { openRunnerOf } from './typeorm-handle';
import { TypeormTransaction } from './typeorm-transaction';
import { assertCommittable, NotCommittedError } from './with-transaction';

/** A store on the user's DataSource. Its transactions carry the `manager`: `managerOf(context)`. */
export class TypeormStore implements Store, AmbientTransactions, PooledStore {
  readonly schema: string;
  readonly #ambient: Ambient<TypeormTransaction> | undefined;
  readonly #prepared: boolean;
  readonly #own: OwnConnections;
  readonly #open = new WeakMap<ClientBase, TypeormTransaction>();

  constructor(
    private readonly dataSource: DataSource,
    options: StoreOptions<TypeormTransaction> = {},
  ) {
    const type = (dataSource as DataSource | undefined)?.options?.type;
    if (type !== 'postgres')
      throw new OptionsError('typeorm(dataSource)', `expected a DataSource of type postgres, found ${String(type)}`);
    const checked = checkStoreOptions('typeorm', options);
    this.schema = checked.schema;
    this.#prepared = checked.preparedStatements;
    this.#ambient = checkAmbient('typeorm', options.ambient);
    this.#own = new OwnConnections(checked, () => this.#userPool().options);
  }

  /** Of a DataSource that is initialised. */
  get poolSize(): number {
    return this.#userPool().options.max;
  }

  query<Row extends object = Record<string, unknown>>(statement: Statement): Promise<QueryResult<Row>> {
    return this.#own.query<Row>(statement);
  }

  async run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner('master');
    const client = (await runner.connect()) as ClientBase;
    try {
      await runner.startTransaction();
      const transaction = this.join(runner);
      const result = await (this.#ambient?.enter(transaction, () => work(transaction)) ?? work(transaction));
      assertCommittable(client);
      await runner.commitTransaction();
      if (transaction.state !== 'committed')
        throw new NotCommittedError('one in which a statement failed (the server rolled it back)');
      return result;
    } catch (thrown) {
      // Work that timed out goes on, and may hold the client: ending it is the only way to take the transaction from it, and needs no answer.
      if (thrown instanceof TimeoutError) endClient(client);
      else await rollback(runner, client);
      throw thrown;
    } finally {
      await runner.release();
    }
  }

  join(handle: unknown): TypeormTransaction {
    const { runner, client } = openRunnerOf(handle, this.dataSource);
    const known = this.#open.get(client);
    if (known?.state === 'open' && client.getTransactionStatus() === 'T') return known;
    if (handle instanceof TypeormTransaction && handle.state !== 'open') {
      throw new NotInTransactionError(`a transaction that has ended (${handle.state})`);
    }
    const transaction = new TypeormTransaction(client, runner.manager, this.#prepared);
    this.#open.set(client, transaction);
    return transaction;
  }

  joinCurrent(): TypeormTransaction {
    return this.join(currentOf(this.#ambient, `typeorm store ${this.schema}`));
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

  #userPool(): Pool {
    const pool = (this.dataSource.driver as { master?: Pool }).master;
    if (!pool) {
      throw new TidingsError(
        'TIDINGS_DATA_SOURCE',
        `store ${this.schema}: expected an initialised DataSource, found one that is not; await dataSource.initialize() before the store is used`,
      );
    }
    return pool;
  }
}

/** A store on a TypeORM DataSource of type postgres. The DataSource stays the user's: Tidings never initialises or destroys it. */
export const typeorm = (dataSource: DataSource, options: StoreOptions<TypeormTransaction> = {}): TypeormStore =>
  new TypeormStore(dataSource, options);

/** A client that cannot even roll back is ended: the pool drops it, and nobody inherits its transaction. */
async function rollback(runner: QueryRunner, client: ClientBase): Promise<void> {
  try {
    if (runner.isTransactionActive) await runner.rollbackTransaction();
  } catch {
    endClient(client);
  }
}

function endClient(client: ClientBase): void {
  void (client as unknown as { end(): Promise<void> }).end().catch(() => undefined);
}
