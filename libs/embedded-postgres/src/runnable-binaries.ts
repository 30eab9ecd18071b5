import { chmod, cp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres-error';
import { withFileLock } from './file-lock';
import type { PlatformBinaries } from './platform-binaries';
import { runProgram } from './run-program';
import type { ServerUser } from './server-user';
import { sharedFolder } from './shared-folder';

const COPY_WITHIN_MS = 120_000;
const PROGRAMS = ['postgres', 'initdb', 'pg_ctl'] as const;
export type Program = (typeof PROGRAMS)[number];

/** Where a program is that the server's user can run. */
export type ProgramPath = (program: Program) => string;

/** npm packs no symbolic links; the package makes them in a script that npm may not run. Loading a library needs them. */
async function restoreLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // Both are relative to the package, whose `native` this folder is, or a copy of.
    const link = join(folder, relative('native', target));
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

async function makeExecutable(path: ProgramPath): Promise<void> {
  for (const program of PROGRAMS) {
    const { mode } = await stat(path(program));
    if ((mode & 0o555) !== 0o555) await chmod(path(program), mode | 0o555);
  }
}

const pathIn =
  (folder: string): ProgramPath =>
  (program) =>
    join(folder, 'bin', process.platform === 'win32' ? `${program}.exe` : program);

/** Whether it runs is asked by running it: modes, ACLs, mounts and missing libraries all have a say. Undefined: it does. */
async function whyNot(folder: string, user: ServerUser | undefined): Promise<string | undefined> {
  try {
    await restoreLinks(folder);
    await makeExecutable(pathIn(folder));
  } catch (error) {
    return String(error);
  }
  for (const program of PROGRAMS) {
    // From the root folder: the user may not enter the current one.
    const { exitCode, output } = await runProgram(pathIn(folder)(program), ['--version'], '/', user);
    if (exitCode !== 0) return `${program}: ${output || `exit code ${exitCode}`}`;
  }
  return undefined;
}

/**
 * The programs where npm installed them; or, when the server's user cannot run those (a checkout below a home of mode 0700, a read-only
 * node_modules without its links), a copy of them (60 MB, made once a version) in a folder that everybody can read.
 */
export async function runnableBinaries(
  { folder, version, platform }: PlatformBinaries,
  user: ServerUser | undefined,
): Promise<ProgramPath> {
  const inPlace = await whyNot(folder, user);
  if (inPlace === undefined) return pathIn(folder);
  const copy = join(await sharedFolder(), `postgres-${version}-${platform}`);
  const atLast = await withFileLock(`${copy}.lock`, COPY_WITHIN_MS, async () => {
    if ((await whyNot(copy, user)) === undefined) return undefined;
    await replaceBy(folder, copy);
    return whyNot(copy, user);
  });
  if (atLast === undefined) return pathIn(copy);
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_BINARIES',
    `embedded PostgreSQL ${version}: its programs do not run from ${folder} (${inPlace}), nor from their copy ${copy} (${atLast}); set DATABASE_URL to a server instead`,
  );
}

/** Copied aside and renamed: a copy that was interrupted is never run. Call under the lock. */
async function replaceBy(folder: string, copy: string): Promise<void> {
  const partial = join(dirname(copy), `.${basename(copy)}.${process.pid}`);
  await rm(partial, { recursive: true, force: true });
  await cp(folder, partial, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') });
  await rm(copy, { recursive: true, force: true });
  await rename(partial, copy);
}
