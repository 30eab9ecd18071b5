import type { EventEmitter } from 'node:events';
import { randomBytes } from 'node:crypto';
import { runFrom } from '@tidings/core';
import { describeOn } from '@tidings/testing';
import { Pool, type PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { beginAndQuery } from './begin-and-query';
import { PgStore } from './pg-store';
import { TypeormStore } from './typeorm-store';

describeOn('postgres', 'a transaction that begins with a statement', (url) => {
  const schema = `begin_${randomBytes(4).toString('hex')}`;
  const insert = { name: `${schema}-insert`, text: `insert into ${schema}.row values ($1) returning id`, values: [1] };
  let pool: Pool;
  let client: PoolClient;

  beforeAll(() => {
    pool = new Pool({ connectionString: url, max: 1 });
  });
  beforeEach(async () => {
    await pool.query(`drop schema if exists ${schema} cascade`);
    await pool.query(`create schema ${schema}; create table ${schema}.row (id int primary key)`);
    client = await pool.connect();
  });
  afterEach(async () => {
    await client.query('rollback');
    client.release(true);
  });
  afterAll(async () => {
    await pool.query(`drop schema ${schema} cascade`);
    await pool.end();
  });

  it('takes one round trip, parsed or not, and leaves the transaction open', async () => {
    let answers = 0;
    const { connection } = client as unknown as { connection: EventEmitter };
    connection.on('readyForQuery', () => (answers += 1));
    for (const id of [1, 2]) {
      answers = 0;
      const result = await beginAndQuery(client, { ...insert, values: [id] });
      expect(result).toMatchObject({ command: 'INSERT', rowCount: 1, rows: [{ id }] });
      expect([answers, client.getTransactionStatus()]).toEqual([1, 'T']);
      await client.query('rollback');
    }
    await expect(client.query(`select from ${schema}.row`)).resolves.toMatchObject({ rowCount: 0 });
  });

  it.each([
    ['a name', insert],
    ['no name', { text: insert.text, values: insert.values }],
    ['no values', { text: `insert into ${schema}.row values (1)` }],
  ])('runs a statement with %s again on the connection on which it could not be parsed', async (_, statement) => {
    await client.query(`drop table ${schema}.row`);
    await expect(beginAndQuery(client, statement)).rejects.toMatchObject({ code: '42P01' });
    await client.query('rollback');
    await client.query(`create table ${schema}.row (id int)`);
    await expect(beginAndQuery(client, statement)).resolves.toMatchObject({ rowCount: 1 });
    await expect(client.query(statement)).resolves.toMatchObject({ rowCount: 1 }); // pg's own view of the name
  });

  it('runs it again after a BEGIN that the server refused', async () => {
    await client.query('begin');
    await client.query('select 1/0').catch(() => undefined);
    await expect(beginAndQuery(client, insert)).rejects.toMatchObject({ code: '25P02' });
    await client.query('rollback');
    await expect(beginAndQuery(client, insert)).resolves.toMatchObject({ rowCount: 1 });
  });

  it('does not call the work when the statement fails, and the next transaction finds nothing of it', async () => {
    const store = new PgStore(pool, { schema });
    client.release();
    const work = jest.fn(async () => 'done');
    const run = (id: number) => runFrom(store, { ...insert, values: [id] }, work);
    await expect(run(1)).resolves.toBe('done');
    await expect(run(1)).rejects.toMatchObject({ code: '23505' });
    expect(work).toHaveBeenCalledTimes(1);
    await expect(run(2)).resolves.toBe('done');
    client = await pool.connect();
    const { rows } = await client.query(`select id from ${schema}.row order by id`);
    expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('prepares nothing by name where the store is not to', async () => {
    client.release();
    const names = async (preparedStatements: boolean): Promise<unknown[]> => {
      const store = new PgStore(pool, { schema, preparedStatements });
      await runFrom(store, { ...insert, values: [Number(preparedStatements)] }, async () => undefined);
      const { rows } = await pool.query('select name from pg_prepared_statements'); // of the pool's one connection
      return rows;
    };
    expect([await names(false), await names(true)]).toEqual([[], [{ name: insert.name }]]);
    client = await pool.connect();
  });

  it('of a store that cannot is BEGIN and then the statement', async () => {
    const dataSource = await new DataSource({ type: 'postgres', url, poolSize: 1 }).initialize();
    try {
      const work = jest.fn(async (_transaction: unknown, { rowCount }: { rowCount: number }) => rowCount);
      await expect(runFrom(new TypeormStore(dataSource, { schema }), insert, work)).resolves.toBe(1);
      await expect(runFrom(new TypeormStore(dataSource, { schema }), insert, work)).rejects.toMatchObject({ code: '23505' }); // prettier-ignore
      expect(work).toHaveBeenCalledTimes(1);
    } finally {
      await dataSource.destroy();
    }
  });
});
