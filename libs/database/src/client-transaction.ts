import type { EventEmitter } from 'node:events';
import {
  asError,
  NotInTransactionError,
  type QueryResult,
  type Savepoints,
  type Statement,
  TidingsError,
  TimeoutError,
  type Transaction,
  TransactionLostError,
} from '@tidings/core';
import type { ClientBase } from 'pg';
import { outliveClient } from './outlive-client';
import { asQueryResult, queryConfig } from './statement-query';
import { assertCommittable, NotCommittedError } from './with-transaction';

const SET_SAVEPOINT = 'savepoint tidings';
const MOVE_SAVEPOINT = 'release savepoint tidings; savepoint tidings';
/** It stays set. */
const BACK_TO_SAVEPOINT = 'rollback to savepoint tidings';

export type TransactionState = 'open' | 'committed' | 'rolledBack';

/**
 * The transaction that is open on a pg client, whoever began it and whoever will end it: Tidings, the user's BEGIN and COMMIT, or TypeORM.
 *
 * How it ended is read from the wire, for only the server knows: COMMIT of a failed transaction answers ROLLBACK and is no error, and TypeORM sends
 * its afterTransactionCommit for such a one and for each savepoint as well. `COMMIT` in an answer means that the outermost transaction committed (a
 * savepoint answers RELEASE); a connection that is idle without it means that the transaction was rolled back.
 *
 * open → committed | rolledBack, once. The four listeners on the connection live as long as the transaction.
 */
export class ClientTransaction implements Transaction, Savepoints {
  #state: TransactionState = 'open';
  #savepoint = false;
  /** A statement has failed, and the server has not said yet how the transaction stands: the client's status is that of before. */
  #failing = false;
  readonly #hooks: (() => void)[] = [];

  /**
   * @param prepared Whether statements that have a name are prepared by it; not behind a transaction-mode pooler.
   * @throws NotInTransactionError unless the client is in an open transaction that has not failed.
   */
  constructor(
    readonly client: ClientBase,
    private readonly prepared = true,
  ) {
    const status = client.getTransactionStatus();
    if (status === 'E')
      throw new NotInTransactionError('a transaction in which a statement has failed: it can only be rolled back');
    if (status !== 'T') throw new NotInTransactionError('a client outside a transaction (was BEGIN awaited?)');
    outliveClient(client);
    this.#watch();
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** Rejects once the transaction has ended: its client may serve somebody else by then. */
  async query<Row extends object = Record<string, unknown>>(statement: Statement): Promise<QueryResult<Row>> {
    if (this.#state !== 'open') throw new NotInTransactionError(`a transaction that has ended (${this.#state})`);
    return asQueryResult<Row>(await this.client.query(queryConfig(statement, this.prepared)));
  }

  /**
   * A hook of a savepoint that the user rolled back runs all the same when the outermost transaction commits: hooks are hints, and one wake-up too many
   * costs less than following savepoints by name. Those of our own `savepoint` are forgotten with it.
   */
  afterCommit(hook: () => void): void {
    if (this.#state !== 'open') throw new NotInTransactionError(`a transaction that has ended (${this.#state})`);
    this.#hooks.push(hook);
  }

  /**
   * One round trip a savepoint: the one before it is released along with the new one, and the last by the commit. Up to 64 of them are cheap for all other
   * sessions; with more PostgreSQL looks each up in pg_subtrans.
   */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    await this.#orLost(this.client.query(this.#savepoint ? MOVE_SAVEPOINT : SET_SAVEPOINT));
    this.#savepoint = true;
    const hooks = this.#hooks.length;
    try {
      const result = await work();
      if (this.#failing) throw new NotCommittedError('one in which a statement failed');
      assertCommittable(this.client);
      return result;
    } catch (thrown) {
      this.#hooks.splice(hooks);
      if (thrown instanceof TimeoutError) throw thrown; // its statement may still hold the connection, which is ended by whoever lent it
      await this.#orLost(this.client.query(BACK_TO_SAVEPOINT));
      throw thrown;
    }
  }

  async #orLost(statement: Promise<unknown>): Promise<void> {
    try {
      await statement;
    } catch (thrown) {
      throw new TransactionLostError(asError(thrown));
    }
  }

  #watch(): void {
    const { connection } = this.client as ClientBase & { readonly connection?: EventEmitter };
    if (!connection) {
      throw new TidingsError(
        'TIDINGS_PG_CLIENT',
        'expected a client of the package pg, found one without its protocol events; pg-native is not supported',
      );
    }
    let committed = false;
    let rolledBack = false;
    const onCommand = ({ text }: { text: string }): void => {
      // One text may hold several statements: a transaction that begins after a ROLLBACK is another one. (ROLLBACK TO answers ROLLBACK as well.)
      if (rolledBack && (text === 'BEGIN' || text === 'START TRANSACTION')) return end();
      rolledBack = text === 'ROLLBACK';
      if (text === 'COMMIT') committed = true;
    };
    const onError = (): void => {
      this.#failing = true;
    };
    const onReady = (answer: { status: string }): void => {
      this.#failing = false;
      if (committed || answer.status === 'I') end();
    };
    const end = (): void => {
      connection.off('commandComplete', onCommand).off('errorMessage', onError).off('readyForQuery', onReady).off('end', end); // prettier-ignore
      this.#state = committed ? 'committed' : 'rolledBack';
      const hooks = this.#hooks.splice(0);
      if (committed) for (const hook of hooks) hook();
    };
    connection.on('commandComplete', onCommand).on('errorMessage', onError).on('readyForQuery', onReady).on('end', end); // prettier-ignore
  }
}
