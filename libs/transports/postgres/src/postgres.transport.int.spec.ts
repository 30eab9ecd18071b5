import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { migrate, pg } from '@tidings/database';
import { postgresLogMigrations } from '@tidings/postgres-log';
import { describeOn, type TransportHarness, transportConformance } from '@tidings/testing';
import { Pool } from 'pg';
import { POSTGRES_CAPABILITIES } from './postgres.capabilities';
import { specTransport } from './spec-transport.fixture';

describeOn('postgres', 'the PostgreSQL transport', (url) => {
  const schema = `conformance_${randomUUID().slice(0, 8)}`;
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
    exempt: {
      'a consumer that is stuck holds what it took, and the others get the rest':
        'a consumer holds lanes, not messages: what comes into the lanes of one that is stuck waits for it, the other lanes go on',
    },
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
  transportConformance(harness);
});
