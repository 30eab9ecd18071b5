// What a row uses in PostgreSQL: a schema of its own with Tidings' tables and the row's, dropped at the end.
import { randomUUID } from 'node:crypto';
import { migrate, pg as pgStore, typeorm } from '@tidings/database';
import { messagingMigrations } from '@tidings/messaging';
import pg from 'pg';
import { DataSource } from 'typeorm';

/** `tables` is SQL with the schema's name as `$s`. */
export async function openSchema(url, { poolSize = 10, tables = '', schema } = {}) {
  const own = schema ?? `bench_${randomUUID().slice(0, 8)}`;
  const dataSource = await new DataSource({ type: 'postgres', url, poolSize }).initialize();
  const pool = new pg.Pool({ connectionString: url, max: poolSize });
  const store = typeorm(dataSource, { schema: own });
  await store.connect();
  if (schema === undefined) {
    await migrate(store, messagingMigrations);
    for (const sql of tables.replaceAll('$s', own).split(';')) if (sql.trim()) await dataSource.query(sql);
  }
  return {
    schema: own,
    dataSource,
    pool,
    store,
    pgStore: () => pgStore(pool, { schema: own }),
    /** The one that made the schema drops it. */
    async close() {
      await store.close();
      if (schema === undefined) await pool.query(`drop schema ${own} cascade`);
      await pool.end();
      await dataSource.destroy();
    },
  };
}
