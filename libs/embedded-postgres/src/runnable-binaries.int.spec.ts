import { randomBytes } from 'node:crypto';
import { chmod, cp, lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { embeddedPostgresVersion, platformBinaries } from './platform-binaries';
import { runProgram } from './run-program';
import { runnableBinaries } from './runnable-binaries';
import { serverUser } from './server-user';
import { startEmbeddedPostgres } from './start-embedded-postgres';

const isRoot = process.getuid?.() === 0;

describe('runnableBinaries', () => {
  let home: string;
  let native: string;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'tidings-spec-'));
    native = join(home, 'native');
    // As npm unpacks it: no links.
    const isPacked = async (source: string): Promise<boolean> =>
      !source.endsWith('.a') && !(await lstat(source)).isSymbolicLink();
    await cp(platformBinaries().folder, native, { recursive: true, filter: isPacked });
    await chmod(join(native, 'bin', 'postgres'), 0o644);
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('restores links and modes that npm’s scripts would have set', async () => {
    await chmod(home, 0o755);
    const user = serverUser(join(home, 'none'));
    const path = await runnableBinaries({ ...platformBinaries(), folder: native }, user);
    expect(path('postgres').startsWith(native)).toBe(true);
    expect((await runProgram(path('postgres'), ['--version'], '/', user)).output).toContain(
      embeddedPostgresVersion().split('.')[0],
    );
  });

  (isRoot ? it : it.skip)('copies them when root’s server user cannot enter their folder, once a version', async () => {
    await chmod(home, 0o700);
    const user = serverUser(join(home, 'none'));
    const version = `spec-${randomBytes(4).toString('hex')}`;
    const [first, second] = await Promise.all(
      [1, 2].map(() => runnableBinaries({ folder: native, version, platform: 'linux-x64' }, user)),
    );
    expect(first!('initdb')).toBe(second!('initdb'));
    expect(first!('initdb').startsWith(home)).toBe(false);
    await rm(dirname(dirname(first!('initdb'))), { recursive: true });
  });

  (isRoot ? it : it.skip)(
    'keeps the data elsewhere when root’s server user cannot enter its folder, and finds it again',
    async () => {
      await chmod(home, 0o700);
      const dataDir = join(home, 'data');
      for (const rows of [[], [{ one: 1 }]]) {
        const server = await startEmbeddedPostgres({ dataDir });
        const client = new Client({ connectionString: server.url });
        await client.connect();
        await client.query('create table if not exists kept (one int)');
        expect((await client.query('select one from kept')).rows).toEqual(rows);
        await client.query('insert into kept values (1)');
        await client.end();
        await server.stop();
      }
      const location = /\/\S+$/m.exec(await readFile(join(dataDir, 'LOCATION'), 'utf8'));
      await rm(location![0], { recursive: true });
    },
  );
});

describe('platformBinaries', () => {
  it('tells of a system without binaries, and the way out', () => {
    expect(() => platformBinaries('sunos-x64')).toThrow(/expected one of .*linux-x64.* found sunos-x64.*DATABASE_URL/);
    expect(() => platformBinaries('win32-x64')).toThrow('--omit=optional');
  });
});
