import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chown, link, mkdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres-error';
import { runProgram } from './run-program';
import { serverUser, type ServerUser } from './server-user';
import { sharedFolder } from './shared-folder';

/** The files of one server. */
export interface ClusterFolder {
  /** PostgreSQL's own data folder, with postmaster.pid. */
  readonly cluster: string;
  readonly log: string;
  /** Its user enters this; the programs run with it as current folder. */
  readonly home: string;
  readonly user: ServerUser | undefined;
  /** In a file of mode 0600, so that not every user of the machine is superuser of this server. */
  readonly password: string;
  readonly passwordFile: string;
}

async function canWrite(folder: string, user: ServerUser): Promise<boolean> {
  const { exitCode } = await runProgram('/bin/sh', ['-c', 'test -w "$0" && test -x "$0"', folder], '/', user);
  return exitCode === 0;
}

/**
 * Below `dataDir`; or, when root starts the server and its unprivileged user cannot enter that (a checkout below a home of mode 0700), in a folder
 * of the machine that is named by the hash of `dataDir`'s path, so that the next start finds it again.
 */
export async function clusterFolder(dataDir: string): Promise<ClusterFolder> {
  await mkdir(dataDir, { recursive: true });
  const real = await realpath(dataDir);
  const near = await openFolder(real);
  if (near) return near;
  const far = join(await sharedFolder(), `data-${createHash('sha256').update(real).digest('hex').slice(0, 16)}`);
  await mkdir(far, { recursive: true });
  await writeFile(join(real, 'LOCATION'), `The server's user cannot enter this folder, so the data is in ${far}\n`);
  const opened = await openFolder(far);
  if (opened) return opened;
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_FOLDER',
    `embedded PostgreSQL: its user can write neither to ${real} nor to ${far}`,
  );
}

async function openFolder(home: string): Promise<ClusterFolder | undefined> {
  const cluster = join(home, 'cluster');
  const user = serverUser(cluster);
  if (user) {
    // Of the folder's other files, those that the server writes are made by its user.
    if ((await stat(home)).uid !== user.uid) await chown(home, user.uid, user.gid);
    if (!(await canWrite(home, user))) return undefined;
  }
  const passwordFile = join(home, 'password');
  const password = await passwordIn(passwordFile, user);
  return { cluster, log: join(home, 'server.log'), home, user, password, passwordFile };
}

/** Made by the first start; linked when its content is there, so that two first starts agree on one. */
async function passwordIn(file: string, user: ServerUser | undefined): Promise<string> {
  const there = await readFile(file, 'utf8').catch(() => undefined);
  if (there) return there;
  const mine = `${file}.${randomUUID()}`;
  await writeFile(mine, randomBytes(16).toString('hex'), { mode: 0o600 });
  if (user) await chown(mine, user.uid, user.gid);
  await link(mine, file).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  await rm(mine);
  return readFile(file, 'utf8');
}
