import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { until } from '@tidings/testing';
import { buildDemo, DemoProcess, isRunning } from './demo-process.fixture';

jest.setTimeout(180_000);

/** Nothing but Node: the embedded database, the PostgreSQL transport. */
describe('npm run demo', () => {
  let folder: string;
  const started: DemoProcess[] = [];

  beforeAll(() => {
    buildDemo();
    folder = mkdtempSync(join(tmpdir(), 'tidings-demo-'));
    chmodSync(folder, 0o755); // or root's PostgreSQL, which runs as another user, keeps its data elsewhere
  });
  afterAll(async () => {
    for (const demo of started) demo.child.kill('SIGTERM');
    await Promise.all(started.map((demo) => demo.exited));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (): DemoProcess => {
    const demo = new DemoProcess(['--data', folder, '--port', '0']);
    started.push(demo);
    return demo;
  };
  const postmaster = (): number | undefined => {
    const file = join(folder, 'postgres', 'cluster', 'postmaster.pid');
    return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8')) : undefined;
  };
  const get = async <T>(address: string, path: string): Promise<T> =>
    (await fetch(address + path)).json() as Promise<T>;
  const send = (address: string) =>
    fetch(`${address}/api/gift-api/gifts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ roomId: 'lofi', viewerId: 'ada', gift: 'castle' }),
    });

  it('serves the page, passes a gift to everybody, and leaves no process after Ctrl-C', async () => {
    const demo = start();
    const address = await demo.address();
    expect(await (await fetch(address)).text()).toContain('<tidings-demo>');
    for (const library of ['lit/index.js', 'socket.io-client/socket.io.esm.min.js']) {
      expect((await fetch(`${address}/vendor/${library}`)).status).toBe(200);
    }

    const screen = io(address, { transports: ['websocket'] });
    const shown: unknown[] = [];
    screen.on('gift', (gift) => shown.push(gift));
    await screen.emitWithAck('join', { roomId: 'lofi' });

    expect((await send(address)).status).toBe(201);
    await until('the screen shows it', () => shown.length === 1);
    for (const app of ['ranking', 'revenue-share', 'badges']) {
      await until(
        `${app} has it`,
        async () => (await get<{ amountMinor: number }>(address, `/api/${app}/totals`)).amountMinor === 5_000,
      );
    }

    const children = demo.children();
    const database = postmaster()!;
    expect(children).toHaveLength(5);
    expect(isRunning(database)).toBe(true);
    demo.child.kill('SIGINT');
    await demo.exited; // with the screen still there
    screen.disconnect();
    expect(children.filter(isRunning)).toEqual([]);
    expect(isRunning(database)).toBe(false);
  });

  it('recovers from kill -9: no app is left, and the next start has the gifts', async () => {
    const killed = start();
    expect((await send(await killed.address())).status).toBe(201);
    const children = killed.children();
    killed.child.kill('SIGKILL');
    await killed.exited;
    await until('the apps have left', () => !children.some(isRunning), { withinMs: 20_000 });

    const next = start();
    const address = await next.address();
    for (const app of ['gift-api', 'ranking', 'revenue-share', 'badges']) {
      await until(
        `${app} has both gifts`,
        async () => (await get<{ amountMinor: number }>(address, `/api/${app}/totals`)).amountMinor === 10_000,
      );
    }
    const database = postmaster()!;
    next.child.kill('SIGTERM');
    await next.exited;
    expect(isRunning(database)).toBe(false);
  });

  it('takes a rush in, and starts an app again that was killed from the page', async () => {
    const demo = start();
    const address = await demo.address();
    const rush = (count: number) =>
      fetch(`${address}/rush`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tidings-demo': 'spec' },
        body: JSON.stringify({ count }),
      });
    const progress = () => get<Record<'accepted' | 'refused' | 'failed', number>>(address, '/rush');
    expect((await rush(0)).status).toBe(400);
    expect((await rush(300)).status).toBe(202);
    expect((await rush(300)).status).toBe(409);
    const before = (await get<{ gifts: number }>(address, '/api/gift-api/totals')).gifts;
    await until(
      'all are answered',
      async () => {
        const { accepted, refused, failed } = await progress();
        return accepted + refused + failed === 300;
      },
      { withinMs: 60_000 },
    );
    const { accepted, failed } = await progress();
    expect(failed).toBe(0);
    await until(
      'every accepted gift is written and ranked',
      async () => (await get<{ gifts: number }>(address, '/api/ranking/totals')).gifts === 2 + accepted,
      { withinMs: 60_000 },
    );
    expect(before).toBeLessThan(2 + accepted); // the intake only enqueues

    const kill = (headers: Record<string, string>) => fetch(`${address}/apps/badges/kill`, { method: 'POST', headers });
    expect((await kill({})).status).toBe(403);
    expect((await kill({ 'x-tidings-demo': 'spec' })).status).toBe(202);
    await until('badges is away', async () => (await fetch(`${address}/api/badges/totals`)).status === 503);
    await until('badges is back', async () => (await fetch(`${address}/api/badges/totals`)).status === 200, {
      withinMs: 30_000,
    });
    demo.child.kill('SIGINT');
    await demo.exited;
  });
});
