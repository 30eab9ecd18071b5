import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import type { ClusterFolder } from './cluster-folder';
import { EmbeddedPostgresError } from './embedded-postgres-error';
import { commandOf } from './process-command';
import { HOST } from './server-port';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

/** A server that starts up may recover for a while, one that shuts down may write a check-point. */
const SETTLE_MS = 60_000;
const POLL_MS = 100;

/** What the folder's postmaster.pid says: line 1 is the pid, line 4 the port. It may tell of a server that is long dead. */
export async function readPostmaster({ cluster }: Pick<ClusterFolder, 'cluster'>): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return pid > 0 ? { pid, port } : undefined;
}

/** Another process may have got a dead server's pid; ours has the folder on its command line. Undefined: cannot be told. */
function isOurs({ pid }: Postmaster, cluster: string): boolean | undefined {
  const command = commandOf(pid);
  if (command === undefined) return undefined;
  return command.includes('postgres') && command.includes(cluster);
}

/** Undefined when the server at the port is this folder's, else why it is not. */
async function whyNotOurs({ port }: Postmaster, folder: ClusterFolder): Promise<string | undefined> {
  const client = new Client({
    host: HOST,
    port,
    user: 'postgres',
    password: folder.password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    const served = await realpath(rows[0]?.data_directory ?? '');
    return served === (await realpath(folder.cluster)) ? undefined : `port ${port} serves ${served}`;
  } catch (error) {
    return String(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** False when it is dead, or a zombie that `pg_ctl stop` would wait for in vain. */
export async function isRunning(folder: ClusterFolder): Promise<boolean> {
  const found = await readPostmaster(folder);
  return found !== undefined && isOurs(found, folder.cluster) !== false;
}

/**
 * The folder's server if it is alive: one that a killed process left behind, or another process's. A server that starts or stops is waited for.
 * Removes what a dead one left, as a pid that some other process has now would keep PostgreSQL from starting. Call under the folder's lock.
 */
export async function findPostmaster(folder: ClusterFolder): Promise<Postmaster | undefined> {
  const expired = AbortSignal.timeout(SETTLE_MS);
  let problem = '';
  for (let found = await readPostmaster(folder); found; found = await readPostmaster(folder)) {
    const ours = isOurs(found, folder.cluster);
    if (ours !== false) {
      const why = await whyNotOurs(found, folder);
      if (why === undefined) return found;
      problem = why;
    }
    if (ours === false || (ours === undefined && problem.startsWith('port'))) {
      await rm(join(folder.cluster, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (expired.aborted) {
      throw new EmbeddedPostgresError(
        'EMBEDDED_POSTGRES_STUCK',
        `embedded PostgreSQL in ${folder.cluster}: process ${found.pid} runs but does not answer (${problem}); see ${folder.log}, then stop that process`,
      );
    }
    await wait(POLL_MS);
  }
  return undefined;
}
