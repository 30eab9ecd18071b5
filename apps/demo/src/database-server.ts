import { resolve } from 'node:path';
import { startEmbeddedPostgres } from '@tidings/embedded-postgres';

/** The PostgreSQL server that the demo runs on, whoever started it. */
export interface DatabaseServer {
  readonly url: string;
  readonly kind: 'embedded' | 'external';
  /** Ends what this process started; somebody else's server stays. */
  stop(): Promise<void>;
}

/** `DATABASE_URL`'s server, or else an embedded one that keeps its data below `dataDir`. */
export async function openDatabaseServer(databaseUrl: string | undefined, dataDir: string): Promise<DatabaseServer> {
  if (databaseUrl) return { url: databaseUrl, kind: 'external', stop: () => Promise.resolve() };
  const server = await startEmbeddedPostgres({ dataDir: resolve(dataDir, 'postgres') });
  return { url: server.url, kind: 'embedded', stop: () => server.stop() };
}
