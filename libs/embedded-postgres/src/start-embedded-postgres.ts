import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { type ClusterFolder, clusterFolder } from './cluster-folder';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres-error';
import { withFileLock } from './file-lock';
import { Owners } from './owners';
import { platformBinaries } from './platform-binaries';
import { findPostmaster, isRunning, type Postmaster, readPostmaster } from './postmaster';
import { type ProgramPath, runnableBinaries } from './runnable-binaries';
import { ensureCluster, startServer, stopServer, trimLog } from './server-control';
import { freePort, HOST, rememberedPort, rememberPort } from './server-port';

export interface EmbeddedPostgresOptions {
  /** Where the data is kept for the next start; made if missing. One server a folder. */
  readonly dataDir: string;
  /** Default: that of the last start, or any free one. A server that already runs keeps its own. */
  readonly port?: number;
  /** Made if missing; `url` leads to it. Default `postgres`. */
  readonly database?: string;
}

export interface EmbeddedPostgres {
  /** For the superuser `postgres`, with its password, at 127.0.0.1. */
  readonly url: string;
  readonly port: number;
  /** Of the server's first process. */
  readonly pid: number;
  /** True when the server ran already: another process uses it, or a killed one left it behind. */
  readonly attached: boolean;
  /** Shuts the server down, unless another start still uses it, and resolves when it has exited. Safe twice. */
  stop(): Promise<void>;
}

/** A first start runs initdb (1–3 s) and may copy the binaries. */
const LOCK_WITHIN_MS = 180_000;
const PORT_TRIES = 5;

/**
 * Starts a real PostgreSQL from npm's files, for demos and tests: nothing to install, data kept. Not for production.
 *
 * Any number of calls for one folder, from any number of processes, share one server; the last to stop ends it. The server is a process of its own:
 * when this one is killed it lives on, and the next start takes it over. A killed server's data is recovered at the next start.
 *
 * @throws EmbeddedPostgresError that tells the way out.
 */
export async function startEmbeddedPostgres({
  dataDir,
  port,
  database = 'postgres',
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = platformBinaries();
  const folder = await clusterFolder(resolve(dataDir));
  const path = await runnableBinaries(binaries, folder.user);
  const owners = new Owners(join(folder.home, 'owners'));
  const locked = <T>(work: () => Promise<T>): Promise<T> =>
    withFileLock(join(folder.home, 'lock'), LOCK_WITHIN_MS, work);

  const { server, attached, owner } = await locked(async () => {
    const running = await findPostmaster(folder);
    const found = running ?? (await start(folder, path, port));
    return { server: found, attached: running !== undefined, owner: await owners.enter() };
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= locked(async () => {
      if ((await owners.leave(owner)) === 0 && (await isRunning(folder))) await stopServer(folder, path);
    }));
  const urlOf = (name: string): string =>
    `postgres://postgres:${folder.password}@${HOST}:${server.port}/${encodeURIComponent(name)}`;
  try {
    await ensureDatabase(urlOf('postgres'), database);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf(database), port: server.port, pid: server.pid, attached, stop };
}

async function start(folder: ClusterFolder, path: ProgramPath, wanted: number | undefined): Promise<Postmaster> {
  await ensureCluster(folder, path);
  await trimLog(folder);
  const portFile = join(folder.home, 'port');
  for (let turn = 0; turn < PORT_TRIES; turn++) {
    const port = wanted ?? (turn === 0 ? await rememberedPort(portFile) : await freePort(0));
    if (port === undefined || (await startServer(folder, path, port)) === 'portTaken') {
      if (wanted === undefined) continue;
      throw new EmbeddedPostgresError(
        'EMBEDDED_POSTGRES_PORT',
        `embedded PostgreSQL: port ${wanted} is taken; leave \`port\` out to get a free one`,
      );
    }
    await rememberPort(portFile, port);
    const server = await readPostmaster(folder);
    if (server) return server;
  }
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_PORT',
    `embedded PostgreSQL: no free port at ${HOST} in ${PORT_TRIES} tries`,
  );
}

async function ensureDatabase(url: string, name: string): Promise<void> {
  if (name === 'postgres') return;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database "${name.replaceAll('"', '""')}"`).catch((error: unknown) => {
      // There already, or another start makes it at this moment.
      if (!['42P04', '23505'].includes(codeOf(error) ?? '')) throw error;
    });
  } finally {
    await client.end();
  }
}
