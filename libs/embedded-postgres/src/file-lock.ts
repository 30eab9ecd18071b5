import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, EmbeddedPostgresError } from './embedded-postgres-error';
import { isAlive } from './process-command';

const RETRY_MS = 50;

/**
 * Runs `work` while no other process does under the same lock file. The file has its holder's pid: a lock whose holder died is taken over.
 *
 * Node has no flock; a file is the next best. Processes of one machine only.
 */
export async function withFileLock<T>(path: string, withinMs: number, work: () => Promise<T>): Promise<T> {
  const expired = AbortSignal.timeout(withinMs);
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  // Linked when its content is there: nobody ever reads an empty lock.
  await writeFile(mine, String(process.pid));
  try {
    for (;;) {
      try {
        await link(mine, path);
        break;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
      if (holder !== 0 && !isAlive(holder)) await takeAway(path, holder, `${mine}.stale`);
      else if (expired.aborted) {
        throw new EmbeddedPostgresError(
          'EMBEDDED_POSTGRES_LOCK',
          `${path}: held by process ${holder} for more than ${withinMs} ms`,
        );
      } else await wait(RETRY_MS);
    }
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Two may find the same dead holder; the slower one could take away the quicker one's new lock, so it looks at what it took and puts it back. */
async function takeAway(path: string, holder: number, aside: string): Promise<void> {
  try {
    await rename(path, aside);
    if (Number(await readFile(aside, 'utf8')) !== holder) await link(aside, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}
