import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@tidings/testing';
import { Client } from 'pg';
import { commandOf } from './process-command';
import { freePort } from './server-port';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './start-embedded-postgres';

describe('startEmbeddedPostgres', () => {
  const servers: EmbeddedPostgres[] = [];
  let dataDir: string;

  const start = async (
    options: { port?: number; database?: string } = {},
    folder = dataDir,
  ): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir: folder, ...options });
    servers.push(server);
    return server;
  };
  const query = async (server: EmbeddedPostgres, text: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const kill9 = async ({ pid }: EmbeddedPostgres): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    await until('the server is dead', () => commandOf(pid) === '');
  };

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tidings-spec-'));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  it('keeps data and port from start to start', async () => {
    const first = await start({ database: 'shop "1"' });
    expect(first.attached).toBe(false);
    await query(first, 'create table kept as select 42 as answer');
    await first.stop();
    await first.stop();
    expect(commandOf(first.pid)).toBe('');
    await expect(query(first, 'select 1')).rejects.toThrow('ECONNREFUSED');
    const second = await start({ database: 'shop "1"' });
    expect(await query(second, 'select answer from kept')).toEqual([{ answer: 42 }]);
    expect(second.url).toBe(first.url);
  });

  it('is durable, local and private', async () => {
    const server = await start();
    expect(
      await query(
        server,
        `select current_setting('fsync') || current_setting('synchronous_commit') || current_setting('full_page_writes') as honest`,
      ),
    ).toEqual([{ honest: 'ononon' }]);
    expect(
      await query(
        server,
        `select current_setting('listen_addresses') as at, current_setting('unix_socket_directories') as socket`,
      ),
    ).toEqual([{ at: '127.0.0.1', socket: '' }]);
    await expect(
      query({ ...server, url: server.url.replace(/:[0-9a-f]{32}@/, ':wrong@') }, 'select 1'),
    ).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(dataDir, 'password'))).mode & 0o077).toBe(0);
  });

  it('recovers what was committed before a kill -9', async () => {
    const first = await start();
    await query(first, 'create table survived as select 1 as one');
    await kill9(first);
    const second = await start();
    expect(second.attached).toBe(false);
    expect(await query(second, 'select one from survived')).toEqual([{ one: 1 }]);
  });

  it('starts although another process has the dead server’s pid', async () => {
    const first = await start();
    await kill9(first);
    const file = join(dataDir, 'cluster', 'postmaster.pid');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^\d+/, String(process.ppid)));
    const second = await start();
    expect(await query(second, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('attaches to a server that runs, and the last to stop ends it', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(second.pid).toBe(first.pid);
    expect([first.attached, second.attached].sort()).toEqual([false, true]);
    await first.stop();
    expect(await query(second, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(commandOf(first.pid)).toBe('');
  });

  it('ends an orphan whose owners died', async () => {
    const orphan = await start();
    // An owner of a process that is no more, as kill -9 leaves it.
    await rm(join(dataDir, 'owners'), { recursive: true });
    const finder = await start();
    expect(finder).toMatchObject({ pid: orphan.pid, attached: true });
    await finder.stop();
    expect(commandOf(orphan.pid)).toBe('');
  });

  it('goes to another port when that of the last start is taken, and refuses a wanted one that is', async () => {
    const other = await mkdtemp(join(tmpdir(), 'tidings-spec-'));
    const taken = await start();
    const free = await freePort(0);
    await (await start({ port: free! }, other)).stop();
    await writeFile(join(other, 'port'), String(taken.port));
    const moved = await start({}, other);
    expect(moved.port).not.toBe(taken.port);
    await moved.stop();
    await expect(start({ port: taken.port }, other)).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_PORT' });
    await rm(other, { recursive: true });
  });

  it('makes a cluster anew whose making was interrupted', async () => {
    const other = await mkdtemp(join(tmpdir(), 'tidings-spec-'));
    await chmod(other, 0o755);
    await writeFile(join(other, 'cluster.partial'), 'half');
    const server = await start({}, other);
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
    await rm(other, { recursive: true });
  });

  it('tells the end of the log when the server does not start', async () => {
    const server = await start();
    await server.stop();
    const file = join(dataDir, 'cluster', 'postgresql.conf');
    const before = await readFile(file, 'utf8');
    await writeFile(file, `${before}\nnonsense = 1\n`);
    await expect(start()).rejects.toThrow('unrecognized configuration parameter "nonsense"');
    await writeFile(file, before);
  });
});
