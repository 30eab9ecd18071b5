import { resolve } from 'node:path';
import { asError, TidingsError } from '@tidings/core';
import { startEmbeddedPostgres } from '@tidings/embedded-postgres';
import { Client } from 'pg';

/** The PostgreSQL server that the demo runs on, whoever started it. */
export interface DatabaseServer {
  readonly url: string;
  readonly kind: 'embedded' | 'external';
  /** Ends what this process started; somebody else's server stays. */
  stop(): Promise<void>;
}

/** `DATABASE_URL` leads nowhere. The message leaves the address out: it may hold a password. */
export class NoDatabaseError extends TidingsError {
  constructor(cause: Error) {
    const found = cause.message || (cause as NodeJS.ErrnoException).code;
    super(
      'DEMO_DATABASE',
      `DATABASE_URL: expected a PostgreSQL server, found ${found}; start it, or unset DATABASE_URL for the embedded one`,
      { cause },
    );
  }
}

/** `DATABASE_URL`'s server, or else an embedded one that keeps its data below `dataDir`. @throws NoDatabaseError */
export async function openDatabaseServer(databaseUrl: string | undefined, dataDir: string): Promise<DatabaseServer> {
  if (databaseUrl) {
    await assertReachable(databaseUrl);
    return { url: databaseUrl, kind: 'external', stop: () => Promise.resolve() };
  }
  const server = await startEmbeddedPostgres({ dataDir: resolve(dataDir, 'postgres') });
  return { url: server.url, kind: 'embedded', stop: () => server.stop() };
}

async function assertReachable(connectionString: string): Promise<void> {
  try {
    const client = new Client({ connectionString, connectionTimeoutMillis: 10_000 });
    await client.connect();
    await client.end();
  } catch (error) {
    throw new NoDatabaseError(asError(error));
  }
}
