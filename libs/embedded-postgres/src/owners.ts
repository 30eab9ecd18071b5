import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './process-command';

/**
 * Who uses a server: one empty file for each start, named by its process. The last to stop ends the server; those of dead processes do not count,
 * so an orphan belongs to whoever finds it. Call under the folder's lock.
 */
export class Owners {
  constructor(private readonly folder: string) {}

  /** Returns the name to leave by. */
  async enter(): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    const name = `${process.pid}.${randomUUID()}`;
    await writeFile(join(this.folder, name), '');
    return name;
  }

  /** Returns how many remain. */
  async leave(name: string): Promise<number> {
    await rm(join(this.folder, name), { force: true });
    return this.count();
  }

  async count(): Promise<number> {
    let live = 0;
    for (const name of await readdir(this.folder).catch(() => [])) {
      if (isAlive(Number.parseInt(name, 10))) live += 1;
      else await rm(join(this.folder, name), { force: true });
    }
    return live;
  }
}
