import type { Store } from '@tidings/core';
import { pg } from '@tidings/database';
import { Pool } from 'pg';

/** The others' database, for an app with one of its own: it holds the log that the PostgreSQL transport reads, and nothing of the app's. */
export class SharedLog {
  readonly store: Store;
  readonly #pool: Pool;

  constructor(databaseUrl: string, app: string) {
    this.#pool = new Pool({ connectionString: databaseUrl, max: 3, application_name: `${app} log` });
    this.#pool.on('error', () => undefined); // the next query tells
    this.store = pg(this.#pool, { connections: 2 });
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.#pool.end();
  }
}
