import { asError, type Closeable, type QueryResult, type Statement, systemClock, TidingsError } from '@tidings/core';
import { Client, Pool, type PoolConfig } from 'pg';
import { outliveClient } from './outlive-client';
import { ownConnectionConfig } from './own-connection-config';
import { PgListener } from './pg-listener';
import { PoolerError, refusedByPooler } from './pooler.error';
import { checkSettings } from './sql/check-settings';
import type { CheckedStoreOptions } from './store-options';
import { asQueryResult, queryConfig } from './statement-query';

/**
 * Tidings' own connections to a store's database: a small pool for statements that stand by themselves, and one connection that listens. Kept apart
 * from the user's pool, so that a relay never waits behind handlers that hold all of its connections, nor they behind a relay.
 *
 * Opened at first use; after `close` only `connect` opens them again, so that a straggler cannot keep the process alive.
 */
export class OwnConnections {
  #pool: Pool | undefined;
  #listener: PgListener | undefined;
  #closed = false;
  #warned = false;

  /** `userConfig` is asked late: a DataSource knows its pool only once it is initialised. */
  constructor(
    private readonly options: CheckedStoreOptions,
    private readonly userConfig: () => PoolConfig,
  ) {}

  async query<Row extends object>(statement: Statement): Promise<QueryResult<Row>> {
    return asQueryResult<Row>(await this.#open().query(queryConfig(statement)));
  }

  listen(channel: string, onNotify: (payload: string | undefined) => void): Promise<Closeable> {
    this.#open();
    this.#listener ??= new PgListener(() => new Client(this.#listenConfig()), systemClock, this.options.logger);
    return this.#listener.listen(channel, onNotify);
  }

  async connect(): Promise<void> {
    this.#closed = false;
    const { rows } = await this.query<{ carried: boolean }>(checkSettings).catch((thrown: unknown) => {
      throw refusedByPooler(thrown) ? new PoolerError(this.options.schema, asError(thrown)) : thrown;
    });
    if (rows[0]?.carried !== true) throw new PoolerError(this.options.schema);
    this.#warnOfEndlessWaits();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const [pool, listener] = [this.#pool, this.#listener];
    this.#pool = undefined;
    this.#listener = undefined;
    await Promise.all([pool?.end(), listener?.close()]);
  }

  /** Each handler holds one of the user's connections; when all do so and each asks for a second one, only a time-out frees them. */
  #warnOfEndlessWaits(): void {
    if (this.#warned || this.userConfig().connectionTimeoutMillis) return;
    this.#warned = true;
    this.options.logger.warn(
      { schema: this.options.schema },
      "the store's pool has no time-out: handlers that ask for a second connection while they hold all of them would wait for ever; " +
        'set connectionTimeoutMillis (pg) or connectTimeoutMS (TypeORM)',
    );
  }

  #open(): Pool {
    if (this.#closed) {
      throw new TidingsError(
        'TIDINGS_STORE_CLOSED',
        `store ${this.options.schema}: expected an open store, found a closed one; call connect() first`,
      );
    }
    if (this.#pool) return this.#pool;
    const pool = new Pool(this.#config());
    // Without a listener, a server restart would end the process by the error of an idle connection. The pool has dropped that connection already.
    pool.on('error', (error) =>
      this.options.logger.warn({ err: error, schema: this.options.schema }, 'an idle database connection was lost'),
    );
    pool.on('connect', outliveClient);
    this.#pool = pool;
    return pool;
  }

  /** With a time-out, for a server that swallows packets would hold an attempt, and `close` with it, for minutes. */
  #listenConfig(): PoolConfig {
    const config = this.#config();
    return { ...config, connectionTimeoutMillis: config.connectionTimeoutMillis || 10_000 };
  }

  #config(): PoolConfig {
    return ownConnectionConfig(this.options.connection ?? this.userConfig(), this.options.connections);
  }
}
