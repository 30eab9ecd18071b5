import { randomBytes } from 'node:crypto';
import {
  hasSavepoints,
  quoted,
  type Savepoints,
  type Store,
  type Transaction,
  TransactionLostError,
} from '@tidings/core';
import { describeOn } from '@tidings/testing';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { pg } from './pg-store';
import { typeorm } from './typeorm-store';

describeOn('postgres', 'a savepoint of a transaction', (url) => {
  const schema = `savepoint_${randomBytes(4).toString('hex')}`;
  let pool: Pool;
  let dataSource: DataSource;
  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 2 });
    pool.on('error', () => undefined);
    dataSource = await new DataSource({ type: 'postgres', url, poolSize: 2, poolErrorHandler: () => undefined }).initialize(); // prettier-ignore
    await pool.query(`create schema ${quoted(schema)}; create table ${quoted(schema)}.row (id int primary key)`);
  });
  beforeEach(() => pool.query(`truncate ${quoted(schema)}.row`));
  afterAll(async () => {
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await pool.end();
    await dataSource.destroy();
  });

  const stores: [string, () => Store][] = [
    ['pg', () => pg(pool, { schema })],
    ['typeorm', () => typeorm(dataSource, { schema })],
  ];
  const insert = (transaction: Transaction, id: number) =>
    transaction.query({ text: `insert into ${quoted(schema)}.row values ($1)`, values: [id] });
  const rows = async (): Promise<number[]> =>
    (await pool.query(`select id from ${quoted(schema)}.row order by id`)).rows.map(({ id }) => id);
  const inTransaction = (store: Store, work: (transaction: Transaction & Savepoints) => Promise<void>) =>
    store.run(async (transaction) => {
      if (!hasSavepoints(transaction)) throw new TypeError('expected savepoints');
      await work(transaction);
    });

  describe.each(stores)('of a store %s', (_, storeOf) => {
    it('takes back what was written in it when its work rejects, and the others commit', async () => {
      const store = storeOf();
      await inTransaction(store, async (transaction) => {
        await transaction.savepoint(() => insert(transaction, 1));
        const failing = transaction.savepoint(async () => {
          await insert(transaction, 2);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        await transaction.savepoint(() => insert(transaction, 3));
      });
      expect(await rows()).toEqual([1, 3]);
      await store.close();
    });

    it('fires the hooks of those that succeeded, once and after the commit, and never those of one rolled back', async () => {
      const store = storeOf();
      const fired: string[] = [];
      const hook = (name: string) => () => void fired.push(name);
      await inTransaction(store, async (transaction) => {
        transaction.afterCommit(hook('before'));
        await transaction.savepoint(async () => transaction.afterCommit(hook('first')));
        const failing = transaction.savepoint(async () => {
          transaction.afterCommit(hook('rolled back'));
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        await transaction.savepoint(async () => transaction.afterCommit(hook('last')));
        expect(fired).toEqual([]);
      });
      expect(fired).toEqual(['before', 'first', 'last']);
      await store.close();
    });

    it('fires no hook when the transaction rolls back after it', async () => {
      const store = storeOf();
      const hook = jest.fn();
      const failing = inTransaction(store, async (transaction) => {
        await transaction.savepoint(async () => {
          transaction.afterCommit(hook);
          await insert(transaction, 1);
        });
        throw new Error('all of it');
      });
      await expect(failing).rejects.toThrow('all of it');
      expect([await rows(), hook.mock.calls.length]).toEqual([[], 0]);
      await store.close();
    });

    it('rejects when its work swallowed the error of a statement, and the transaction goes on', async () => {
      const store = storeOf();
      await inTransaction(store, async (transaction) => {
        const swallowing = transaction.savepoint(async () => {
          await insert(transaction, 7);
          await insert(transaction, 7).catch(() => undefined);
        });
        await expect(swallowing).rejects.toThrow();
        await transaction.savepoint(() => insert(transaction, 8));
      });
      expect(await rows()).toEqual([8]);
      await store.close();
    });

    it('says that the transaction is lost when its connection is', async () => {
      const store = storeOf();
      const losing = inTransaction(store, async (transaction) => {
        await transaction.savepoint(async () => {
          await insert(transaction, 1);
          await transaction.query({ text: 'select pg_terminate_backend(pg_backend_pid())' });
        });
      });
      await expect(losing).rejects.toBeInstanceOf(TransactionLostError);
      expect(await rows()).toEqual([]);
      await store.close();
    });
  });
});
