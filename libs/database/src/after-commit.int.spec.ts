import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { silentLogger, type Store, type Transaction } from '@tidings/core';
import { describeOn, TransactionPooler } from '@tidings/testing';
import { Pool, type PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { pg, type PgStore } from './pg-store';
import { typeorm, type TypeormStore } from './typeorm-store';
import type { TypeormTransaction } from './typeorm-transaction';
import { withTransaction } from './with-transaction';

const fail = (): never => {
  throw new Error('no');
};
const broken = (transaction: Transaction): Promise<unknown> =>
  transaction.query({ text: 'select 1/0' }).catch(() => undefined);

describeOn('postgres', 'afterCommit', (url) => {
  const hook = jest.fn();
  const current = new AsyncLocalStorage<TypeormTransaction>();
  let dataSource: DataSource;
  let pool: Pool;
  let orm: TypeormStore;
  let plain: PgStore;

  beforeAll(async () => {
    dataSource = await new DataSource({
      type: 'postgres',
      url,
      poolSize: 2,
      poolErrorHandler: () => undefined,
    }).initialize();
    pool = new Pool({ connectionString: url, max: 2 });
    pool.on('error', () => undefined);
    orm = typeorm(dataSource, {
      logger: silentLogger,
      ambient: { current: () => current.getStore(), enter: (transaction, work) => current.run(transaction, work) },
    });
    plain = pg(pool, { logger: silentLogger });
  });
  beforeEach(() => hook.mockReset());
  afterAll(async () => {
    await pool.end();
    await dataSource.destroy();
  });

  const watch = (store: Store, handle: unknown): Transaction => {
    const transaction = store.join(handle);
    transaction.afterCommit(hook);
    return transaction;
  };
  const runner = async (
    steps: (runner: ReturnType<DataSource['createQueryRunner']>) => Promise<void>,
  ): Promise<void> => {
    const opened = dataSource.createQueryRunner();
    try {
      await opened.startTransaction();
      await steps(opened);
    } finally {
      await opened.release();
    }
  };
  const raw = async (steps: (client: PoolClient) => Promise<unknown>): Promise<void> => {
    const client = await pool.connect();
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let lost: Error | undefined;
    try {
      await client.query('begin');
      await steps(client);
    } catch (thrown) {
      lost = thrown as Error;
      throw thrown;
    } finally {
      client.off('error', ignore);
      client.release(lost);
    }
  };
  /** The savepoint's own hook, and what became of savepoint and transaction. */
  const savepoint = (inner: 'released' | 'rolled back', outer: 'commit' | 'rollback') =>
    dataSource.transaction(async (manager) => {
      await manager
        .transaction((nested) => {
          watch(orm, nested);
          return inner === 'released' ? Promise.resolve() : Promise.reject(new Error('inner'));
        })
        .catch(() => undefined);
      expect(hook).not.toHaveBeenCalled();
      if (outer === 'rollback') fail();
    });

  it.each<[path: string, calls: number, run: () => Promise<unknown>]>([
    ['dataSource.transaction, committed', 1, () => dataSource.transaction((em) => Promise.resolve(watch(orm, em)))],
    [
      'dataSource.transaction, rejected',
      0,
      () => dataSource.transaction((em) => Promise.resolve(watch(orm, em)).then(fail)),
    ],
    [
      'dataSource.transaction whose COMMIT is answered with ROLLBACK',
      0,
      () => dataSource.transaction((em) => broken(watch(orm, em))),
    ],
    ['QueryRunner, committed', 1, () => runner((r) => (watch(orm, r), r.commitTransaction()))],
    ['QueryRunner, rolled back', 0, () => runner((r) => (watch(orm, r), r.rollbackTransaction()))],
    ['a savepoint released, then committed', 1, () => savepoint('released', 'commit')],
    ['a savepoint released, then rolled back', 0, () => savepoint('released', 'rollback')],
    ['a savepoint rolled back, then committed: a hint too many', 1, () => savepoint('rolled back', 'commit')],
    ['a savepoint rolled back, then rolled back', 0, () => savepoint('rolled back', 'rollback')],
    ['the ambient transaction of run', 1, () => orm.run(() => Promise.resolve(orm.joinCurrent().afterCommit(hook)))],
    ['run, rejected', 0, () => orm.run((transaction) => Promise.resolve(transaction.afterCommit(hook)).then(fail))],
    ['withTransaction, committed', 1, () => withTransaction(pool, (client) => Promise.resolve(watch(plain, client)))],
    [
      'withTransaction, rejected',
      0,
      () => withTransaction(pool, (client) => Promise.resolve(watch(plain, client)).then(fail)),
    ],
    [
      'withTransaction, a statement failed and was swallowed',
      0,
      () => withTransaction(pool, (client) => broken(watch(plain, client))),
    ],
    ['BEGIN and COMMIT by hand', 1, () => raw((client) => (watch(plain, client), client.query('commit')))],
    ['END by hand', 1, () => raw((client) => (watch(plain, client), client.query('end')))],
    ['ROLLBACK by hand', 0, () => raw((client) => (watch(plain, client), client.query('rollback')))],
    [
      'ABORT by hand, then another transaction that commits',
      0,
      () =>
        raw(async (client) => {
          watch(plain, client);
          for (const sql of ['abort', 'begin', 'commit']) await client.query(sql);
        }),
    ],
    [
      'COMMIT by hand, answered with ROLLBACK',
      0,
      () =>
        raw(async (client) => {
          await broken(watch(plain, client));
          await client.query('commit');
        }),
    ],
    [
      'COMMIT AND CHAIN, then ROLLBACK',
      1,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query('commit and chain');
          expect(hook).toHaveBeenCalledTimes(1);
          watch(plain, client);
          await client.query('rollback');
        }),
    ],
    [
      'COMMIT AND CHAIN, then COMMIT: one for each',
      2,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query('commit and chain');
          watch(plain, client);
          await client.query('commit');
        }),
    ],
    [
      'COMMIT and BEGIN in one text, then ROLLBACK',
      1,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query('commit; begin');
          await client.query('rollback');
        }),
    ],
    [
      'ROLLBACK, BEGIN and COMMIT in one text',
      0,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query('rollback; begin; commit');
        }),
    ],
    [
      'ROLLBACK and BEGIN in one text, then COMMIT',
      0,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query('rollback; start transaction');
          await client.query('commit');
        }),
    ],
    [
      'ROLLBACK TO and RELEASE by hand, then COMMIT',
      1,
      () =>
        raw(async (client) => {
          await client.query('savepoint s');
          watch(plain, client);
          for (const sql of ['rollback to s', 'release s', 'commit']) await client.query(sql);
        }),
    ],
    [
      'PREPARE TRANSACTION, refused or done: it is not committed',
      0,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query("prepare transaction 'tidings_spec'").then(
            () => client.query("rollback prepared 'tidings_spec'"),
            () => client.query('rollback'),
          );
        }),
    ],
    [
      'a backend that is killed before COMMIT',
      0,
      () =>
        raw(async (client) => {
          watch(plain, client);
          await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
          await client.query('commit');
        }),
    ],
  ])('%s: %i', async (_path, calls, run) => {
    await run().catch(() => undefined);
    expect(hook).toHaveBeenCalledTimes(calls);
  });

  it('a connection that breaks between COMMIT and its answer: none, for nobody here knows; the poll finds what was committed', async () => {
    const pooler = await TransactionPooler.start(url);
    const own = new Pool({ connectionString: pooler.url, max: 1 });
    own.on('error', () => undefined);
    const store = pg(own, { logger: silentLogger, preparedStatements: false });
    const table = `cut_${randomBytes(4).toString('hex')}`;
    pooler.cutAtAnswer = 'COMMIT';
    const work = store.run(async (transaction) => {
      transaction.afterCommit(hook);
      await transaction.query({ text: `create table ${table} ()` });
    });
    await expect(work).rejects.toThrow('Connection terminated');
    expect(hook).not.toHaveBeenCalled();
    await pool.query(`drop table ${table}`); // it was committed all the same
    await own.end();
    await pooler.close();
  });
});
