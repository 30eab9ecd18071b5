import { randomBytes } from 'node:crypto';
import { NotInTransactionError, silentLogger, type Store, type TidingsLogger, type Transaction } from '@tidings/core';
import { describeOn, until } from '@tidings/testing';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { clientOf, managerOf } from './handler-transaction';
import { NotCommittedError } from './with-transaction';
import { pg } from './pg-store';
import { typeorm } from './typeorm-store';

interface Begun {
  readonly handle: unknown;
  nested(fail: boolean): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** The connection's listeners for the protocol, to see that none stays behind. */
  listeners(): number;
}

/** What the suite needs of a user's side. */
interface Harness {
  readonly store: Store;
  readonly outside: unknown;
  begin(): Promise<Begun>;
  close(): Promise<void>;
}

type WithProtocol = { connection: { listenerCount(name: string): number } };
const listenersOf = (client: unknown): number =>
  ['readyForQuery', 'commandComplete', 'end'].reduce(
    (sum, name) => sum + (client as WithProtocol).connection.listenerCount(name),
    0,
  );

function onPg(url: string, schema: string, logger: TidingsLogger): Harness {
  const pool = new Pool({ connectionString: url, max: 3 });
  pool.on('error', () => undefined);
  return {
    store: pg(pool, { schema, connections: 2, logger }),
    outside: pool,
    begin: async () => {
      const client = await pool.connect();
      await client.query('begin');
      const end = async (sql: string): Promise<void> => {
        await client.query(sql);
        client.release();
      };
      return {
        handle: client,
        nested: async (fail) => {
          await client.query('savepoint s');
          await client.query(fail ? 'rollback to savepoint s' : 'release savepoint s');
        },
        commit: () => end('commit'),
        rollback: () => end('rollback'),
        listeners: () => listenersOf(client),
      };
    },
    close: () => pool.end(),
  };
}

async function onTypeorm(url: string, schema: string, logger: TidingsLogger): Promise<Harness> {
  const dataSource = await new DataSource({
    type: 'postgres',
    url,
    poolSize: 3,
    poolErrorHandler: () => undefined,
  }).initialize();
  return {
    store: typeorm(dataSource, { schema, connections: 2, logger }),
    outside: dataSource.manager,
    begin: async () => {
      const runner = dataSource.createQueryRunner();
      const client: unknown = await runner.connect();
      await runner.startTransaction();
      const end = async (step: Promise<void>): Promise<void> => {
        await step;
        await runner.release();
      };
      return {
        handle: runner.manager,
        nested: async (fail) => {
          await runner.startTransaction();
          await (fail ? runner.rollbackTransaction() : runner.commitTransaction());
        },
        commit: () => end(runner.commitTransaction()),
        rollback: () => end(runner.rollbackTransaction()),
        listeners: () => listenersOf(client),
      };
    },
    close: () => dataSource.destroy(),
  };
}

describeOn('postgres', 'store', (url) => {
  describe.each([
    ['pg', onPg],
    ['typeorm', onTypeorm],
  ] as const)('%s', (_name, make) => {
    const schema = `store_${randomBytes(4).toString('hex')}`;
    const warn = jest.fn();
    let harness: Harness;
    let store: Store;

    const insert = (transaction: Transaction, id: number): Promise<unknown> =>
      transaction.query({ name: `insert-${schema}`, text: `insert into ${schema}.row (id) values ($1)`, values: [id] });
    const ids = async (): Promise<number[]> => {
      const { rows } = await store.query<{ id: number }>({ text: `select id from ${schema}.row order by id` });
      return rows.map(({ id }) => id);
    };
    const terminate = (where: string): Promise<{ rowCount: number }> =>
      store.query({
        text: `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and ${where}`,
      });

    beforeAll(async () => {
      harness = await make(url, schema, { ...silentLogger, warn });
      store = harness.store;
      await store.connect();
      await store.query({ text: `create schema ${schema}` });
      await store.query({ text: `create table ${schema}.row (id int primary key deferrable initially deferred)` });
    });
    afterEach(() => store.query({ text: `truncate ${schema}.row` }));
    afterAll(async () => {
      await store.query({ text: `drop schema ${schema} cascade` });
      await store.close();
      await harness.close();
    });

    it('run commits when the work resolves and hands on its result', async () => {
      const hook = jest.fn();
      const result = await store.run(async (transaction) => {
        transaction.afterCommit(hook);
        await insert(transaction, 1);
        await insert(transaction, 2);
        expect(hook).not.toHaveBeenCalled();
        return 'done';
      });
      expect(result).toBe('done');
      expect(await ids()).toEqual([1, 2]);
      expect(hook).toHaveBeenCalledTimes(1);
    });

    it('run rolls back when the work rejects and passes the rejection on', async () => {
      const hook = jest.fn();
      const failure = new Error('no');
      const run = store.run(async (transaction) => {
        transaction.afterCommit(hook);
        await insert(transaction, 1);
        throw failure;
      });
      await expect(run).rejects.toBe(failure);
      expect(await ids()).toEqual([]);
      expect(hook).not.toHaveBeenCalled();
    });

    it('run rejects when the work swallowed the error of a statement, for nothing was committed', async () => {
      const hook = jest.fn();
      const run = store.run(async (transaction) => {
        transaction.afterCommit(hook);
        await insert(transaction, 1);
        await transaction.query({ text: 'select 1/0' }).catch(() => undefined);
      });
      await expect(run).rejects.toThrow(NotCommittedError);
      expect(await ids()).toEqual([]);
      expect(hook).not.toHaveBeenCalled();
    });

    it('run rejects when COMMIT itself fails, and the connection stays usable', async () => {
      const run = store.run(async (transaction) => {
        await insert(transaction, 1);
        await insert(transaction, 1);
      });
      await expect(run).rejects.toMatchObject({ code: '23505' });
      await store.run((transaction) => insert(transaction, 1));
      expect(await ids()).toEqual([1]);
    });

    it('run rejects when its connection is lost, and the next one works', async () => {
      const run = store.run(async (transaction) => {
        const { rows } = await transaction.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
        await insert(transaction, 1);
        await terminate(`pid = ${rows[0]?.pid}`);
        await insert(transaction, 2);
      });
      await expect(run).rejects.toThrow();
      await store.run((transaction) => insert(transaction, 3));
      expect(await ids()).toEqual([3]);
    });

    it('run gives its typed handle to handlers', async () => {
      await store.run(async (transaction) => {
        await insert(transaction, 1);
        const count = `select count(*)::int as count from ${schema}.row`;
        expect((await clientOf({ transaction }).query<{ count: number }>(count)).rows).toEqual([{ count: 1 }]);
        if (_name === 'typeorm') expect(await managerOf({ transaction }).query(count)).toEqual([{ count: 1 }]);
        else expect(() => managerOf({ transaction })).toThrow('clientOf');
      });
      expect(() => clientOf({ transaction: undefined })).toThrow('effectivelyOnce');
    });

    it('query stands outside of any transaction', async () => {
      await store.run(async (transaction) => {
        await insert(transaction, 1);
        expect(await ids()).toEqual([]);
      });
    });

    it('query plans without sequential scans, whatever the statistics', async () => {
      const { rows } = await store.query<{ plan: string }>({
        text: `select current_setting('enable_seqscan') || current_setting('enable_bitmapscan') || current_setting('jit') as plan`,
      });
      expect(rows).toEqual([{ plan: 'offoffoff' }]);
    });

    it('join writes in the user’s transaction and hooks run after its commit', async () => {
      const begun = await harness.begin();
      const before = begun.listeners();
      const hook = jest.fn();
      const joined = store.join(begun.handle);
      expect(store.join(begun.handle)).toBe(joined);
      expect(store.join(joined)).toBe(joined);
      joined.afterCommit(hook);
      await insert(joined, 1);
      await begun.nested(false);
      expect(hook).not.toHaveBeenCalled();
      expect(await ids()).toEqual([]);
      await begun.commit();
      expect(hook).toHaveBeenCalledTimes(1);
      expect(await ids()).toEqual([1]);
      expect(begun.listeners()).toBe(before);
      await expect(insert(joined, 2)).rejects.toThrow(NotInTransactionError);
      expect(() => store.join(joined)).toThrow(NotInTransactionError);
    });

    it('hooks are dropped when the user’s transaction rolls back', async () => {
      const begun = await harness.begin();
      const before = begun.listeners();
      const hook = jest.fn();
      store.join(begun.handle).afterCommit(hook);
      await begun.nested(true);
      await begun.rollback();
      const next = await harness.begin();
      await next.commit();
      expect(hook).not.toHaveBeenCalled();
      expect(begun.listeners()).toBe(before);
    });

    it('hooks are dropped when the server answers a COMMIT with ROLLBACK', async () => {
      const begun = await harness.begin();
      const hook = jest.fn();
      const joined = store.join(begun.handle);
      joined.afterCommit(hook);
      await expect(joined.query({ text: 'select 1/0' })).rejects.toMatchObject({ code: '22012' });
      await begun.commit();
      expect(hook).not.toHaveBeenCalled();
    });

    it('join refuses whatever is not in an open transaction', async () => {
      expect(() => store.join(harness.outside)).toThrow(NotInTransactionError);
      for (const handle of [undefined, null, 1, 'x', {}, []])
        expect(() => store.join(handle)).toThrow(NotInTransactionError);
      const begun = await harness.begin();
      await begun.rollback();
      expect(() => store.join(begun.handle)).toThrow(NotInTransactionError);
    });

    it('join refuses a transaction that has failed', async () => {
      const begun = await harness.begin();
      const joined = store.join(begun.handle);
      await joined.query({ text: 'select 1/0' }).catch(() => undefined);
      await joined.query({ text: 'select 1' }).catch(() => undefined);
      expect(() => store.join(begun.handle)).toThrow('statement has failed');
      await begun.rollback();
    });

    it('a lost idle connection harms nobody', async () => {
      await Promise.all([ids(), ids()]);
      expect(
        (await terminate(`application_name = 'tidings' and state = 'idle' and query like '%${schema}.row%'`)).rowCount,
      ).toBe(1);
      await until('the pool tells of it', () =>
        warn.mock.calls.some((call) => call[1] === 'an idle database connection was lost'),
      );
      expect(await ids()).toEqual([]);
    });

    it('listen hears notifications, and of a lost connection', async () => {
      const heard: (string | undefined)[] = [];
      const channel = `${schema}-Ä"`;
      const notify = (payload: string): Promise<unknown> =>
        store.query({ text: 'select pg_notify($1, $2)', values: [channel, payload] });
      const listening = await store.listen(channel, (payload) => heard.push(payload));
      const second = await store.listen(channel, () => undefined);
      await notify('one');
      await until('the first notification', () => heard.includes('one'));
      heard.length = 0;
      expect((await terminate(`query like 'listen %${schema}%'`)).rowCount).toBe(1);
      await until('word of the lost connection', () => heard.includes(undefined));
      await notify('two');
      await until('a notification on the new connection', () => heard.includes('two'));
      await listening.close();
      await second.close();
      heard.length = 0;
      const again = await store.listen(`${channel}2`, () => undefined);
      await notify('three');
      await again.close();
      expect(heard).toEqual([]);
    });

    it('is closed and opened again, safe twice', async () => {
      await Promise.all([store.close(), store.close()]);
      await expect(ids()).rejects.toMatchObject({ code: 'TIDINGS_STORE_CLOSED' });
      await store.connect();
      await store.connect();
      expect(await ids()).toEqual([]);
    });
  });

  it('listen waits for a server that is away, and close does not', async () => {
    const pool = new Pool({ connectionString: 'postgres://postgres@127.0.0.1:1/nothing' });
    const warn = jest.fn();
    const store = pg(pool, { logger: { ...silentLogger, warn } });
    await expect(store.connect()).rejects.toThrow('ECONNREFUSED');
    const listening = await store.listen('channel', () => undefined);
    expect(warn).toHaveBeenCalled();
    await listening.close();
    await store.close();
    await pool.end();
  });

  it('a TypeORM store refuses another DataSource’s transaction and one that is not initialised', async () => {
    const [mine, other] = await Promise.all([1, 2].map(() => new DataSource({ type: 'postgres', url }).initialize()));
    await other!.transaction((manager) => {
      expect(() => typeorm(mine!).join(manager)).toThrow('another DataSource');
      return Promise.resolve();
    });
    await Promise.all([mine!.destroy(), other!.destroy()]);
    await expect(typeorm(new DataSource({ type: 'postgres', url })).connect()).rejects.toThrow(
      'await dataSource.initialize()',
    );
    expect(() => typeorm({ options: { type: 'mysql' } } as DataSource)).toThrow('found mysql');
  });
});
