import { chmod, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error';

/** Folders that every user of the machine may enter; the first outlives a reboot and is not swept. */
const ROOTS = ['/var/lib', '/var/tmp', tmpdir()];

/**
 * A folder of ours that other users can enter but not change: for the copy of the binaries, and for the data of a root whose checkout others
 * cannot enter. A folder that somebody else put there is not used: they could swap the programs in it.
 */
export async function sharedFolder(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const problems: string[] = [];
  for (const root of ROOTS) {
    const folder = join(root, uid === 0 ? 'tidings' : `tidings-${uid}`);
    try {
      await mkdir(folder, { recursive: true });
      const found = await lstat(folder);
      if (!found.isDirectory() || found.uid !== uid) throw new Error(`${folder} is not ours`);
      await chmod(folder, 0o755);
      return folder;
    } catch (error) {
      problems.push(String(error));
    }
  }
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_FOLDER',
    `embedded PostgreSQL: no folder that other users can enter: ${problems.join('; ')}`,
  );
}
