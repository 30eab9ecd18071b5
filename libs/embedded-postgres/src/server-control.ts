import { appendFile, chown, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClusterFolder } from './cluster-folder';
import { EmbeddedPostgresError } from './embedded-postgres-error';
import type { ProgramPath } from './runnable-binaries';
import { runProgram } from './run-program';
import { HOST } from './server-port';

/** Recovery after a kill reads the log of up to 1 GB. */
const START_WITHIN_S = 120;
const STOP_WITHIN_S = 60;
const SETTINGS = 'tidings.conf';

/**
 * For demo and tests, yet a real server: it keeps fsync and synchronous_commit, so a killed one recovers. No Unix socket: its path could be too
 * long, and two servers of one port would meet there.
 */
const settings = (port: number): string => `# Written at each start.
listen_addresses = '${HOST}'
port = ${port}
unix_socket_directories = ''
max_connections = 200
`;

/** Makes the cluster if there is none. Made aside and renamed, so that one whose making was interrupted is made anew. */
export async function ensureCluster(folder: ClusterFolder, path: ProgramPath): Promise<void> {
  if (await stat(join(folder.cluster, 'PG_VERSION')).catch(() => undefined)) return;
  const partial = `${folder.cluster}.partial`;
  await rm(partial, { recursive: true, force: true });
  const args = [
    `--pgdata=${partial}`,
    '--username=postgres',
    `--pwfile=${folder.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The server's own: the same order on every machine, whatever locales it has.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  ];
  const { exitCode, output } = await runProgram(path('initdb'), args, folder.home, folder.user);
  if (exitCode !== 0)
    throw new EmbeddedPostgresError('EMBEDDED_POSTGRES_INIT', `initdb in ${folder.cluster} failed: ${output}`);
  await appendFile(join(partial, 'postgresql.conf'), `\ninclude = '${SETTINGS}'\n`);
  await rename(partial, folder.cluster);
}

export type StartOutcome = 'started' | 'portTaken';

/** Resolves when the server accepts connections. Call under the folder's lock, when `findPostmaster` found none. */
export async function startServer(folder: ClusterFolder, path: ProgramPath, port: number): Promise<StartOutcome> {
  const file = join(folder.cluster, SETTINGS);
  await writeFile(file, settings(port));
  if (folder.user) await chown(file, folder.user.uid, folder.user.gid);
  for (const expired = AbortSignal.timeout(15_000); ; await wait(200)) {
    const from = (await stat(folder.log).catch(() => undefined))?.size ?? 0;
    // pg_ctl detaches the server from this process and its terminal: Ctrl-C reaches us, who stop it in order.
    const args = ['start', '-D', folder.cluster, '-l', folder.log, '-w', '-t', String(START_WITHIN_S), '-s'];
    const { exitCode, output } = await runProgram(path('pg_ctl'), args, folder.home, folder.user);
    if (exitCode === 0) return 'started';
    const log = await readFrom(folder.log, from);
    if (/could not bind|could not create any TCP/.test(log)) return 'portTaken';
    // The children of a killed server need a moment to notice.
    if (/pre-existing shared memory block/.test(log) && !expired.aborted) continue;
    const way = /initialized by PostgreSQL version/.test(log)
      ? `; its data is of another version: move ${folder.home} away to begin anew`
      : '';
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_START',
      `embedded PostgreSQL in ${folder.cluster} did not start: ${output}\n${log.slice(-2_000)}${way}`,
    );
  }
}

/** Ends connections and resolves when the server has exited, its data check-pointed. */
export async function stopServer(folder: ClusterFolder, path: ProgramPath): Promise<void> {
  let problem = '';
  for (const mode of ['fast', 'immediate']) {
    const args = ['stop', '-D', folder.cluster, '-m', mode, '-w', '-t', String(STOP_WITHIN_S), '-s'];
    const { exitCode, output } = await runProgram(path('pg_ctl'), args, folder.home, folder.user);
    if (exitCode === 0 || /PID file .* does not exist|Is server running/.test(output)) return;
    problem = output;
  }
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_STOP',
    `embedded PostgreSQL in ${folder.cluster} did not stop: ${problem}`,
  );
}

async function readFrom(path: string, position: number): Promise<string> {
  const all = await readFile(path).catch(() => Buffer.alloc(0));
  return all.subarray(position).toString();
}

/** A log that only grows is cut when a server starts: the last one's end is worth keeping, not last year's. */
export async function trimLog({ log }: ClusterFolder, maxBytes = 10_000_000): Promise<void> {
  const size = (await stat(log).catch(() => undefined))?.size ?? 0;
  if (size <= maxBytes) return;
  const file = await open(log, 'r+');
  await file.truncate(0);
  await file.close();
}
