import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from './file-lock';

describe('withFileLock', () => {
  let folder: string;
  let lock: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidings-spec-'));
    lock = join(folder, 'lock');
  });
  afterEach(async () => {
    expect(await readdir(folder)).toEqual([]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('lets one in at a time, and leaves nothing behind', async () => {
    let inside = 0;
    const seen: number[] = [];
    const enter = (): Promise<void> =>
      withFileLock(lock, 10_000, async () => {
        seen.push(++inside);
        await readdir(folder);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 5 }, enter));
    expect(seen).toEqual([1, 1, 1, 1, 1]);
  });

  it('is free again after work that rejects', async () => {
    await expect(withFileLock(lock, 1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withFileLock(lock, 1_000, () => Promise.resolve('in'))).toBe('in');
  });

  it('is taken over from a process that died, by one of those who wait', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await writeFile(lock, String(pid));
    const entered = await Promise.all([1, 2, 3].map((n) => withFileLock(lock, 10_000, () => Promise.resolve(n))));
    expect(entered).toEqual([1, 2, 3]);
  });

  it('names the process that holds it too long', async () => {
    await withFileLock(lock, 1_000, async () => {
      await expect(withFileLock(lock, 50, () => Promise.resolve())).rejects.toThrow(`held by process ${process.pid}`);
    });
  });
});
