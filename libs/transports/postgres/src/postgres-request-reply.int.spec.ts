import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { migrate, pg } from '@tidings/database';
import { postgresLogMigrations } from '@tidings/postgres-log';
import { describeOn, requestReplyConformance, type TransportHarness } from '@tidings/testing';
import { Pool } from 'pg';
import { POSTGRES_CAPABILITIES } from './postgres.capabilities';
import { specTransport } from './spec-transport.fixture';

describeOn('postgres', 'request-reply over PostgreSQL', (url) => {
  const schema = `requests_${randomUUID().slice(0, 8)}`;
  const options = { url, schema };
  const harness: TransportHarness = {
    kind: 'postgres',
    capabilities: POSTGRES_CAPABILITIES,
    open: async () => {
      const pool = new Pool({ connectionString: url, max: 1 });
      const store = pg(pool, { schema });
      await store.connect();
      await migrate(store, postgresLogMigrations);
      await store.close();
      await pool.end();
    },
    cutRedelivers: false,
    create: () => specTransport(options),
    cut: async () => {
      const pool = new Pool({ connectionString: url, max: 1 });
      await pool.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1', [
        `%${schema}%`,
      ]);
      await pool.end();
    },
    process: { module: join(__dirname, 'spec-transport.fixture.ts'), factory: 'specTransport', options },
    close: async () => {
      const pool = new Pool({ connectionString: url, max: 1 });
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
  };
  requestReplyConformance(harness);
});
