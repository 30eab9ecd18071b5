import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { until } from '../until';
import { describePrivate } from './describe-private';
import type { PrivateServer } from './private-server';
import { startPrivate } from './start-private';

const listens = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });

const foldersOf = (name: string): string[] =>
  readdirSync(tmpdir()).filter((folder) => folder.startsWith(`tidings-${name}-`));

const LONG_MS = 180_000;

async function stopsAndStarts(server: PrivateServer): Promise<void> {
  const { url } = server;
  expect(await listens(url)).toBe(true);
  for (const end of ['stop', 'crash'] as const) {
    await server[end]();
    expect(await listens(url)).toBe(false);
    await server.start();
    expect(server.url).toBe(url);
    expect(await listens(url)).toBe(true);
  }
}

describePrivate('postgres', 'a PostgreSQL for one spec', (server) => {
  it('is stopped, crashed and started at its address', () => stopsAndStarts(server()), LONG_MS);
});

describePrivate('redis-cluster', 'a Redis Cluster for one spec', (server) => {
  it('has given all of its slots away', async () =>
    expect(await server().nodes[2]!.ask('CLUSTER INFO')).toContain('cluster_slots_ok:16384'));
});

describePrivate('redis-sentinel', 'a watched Redis for one spec', (server) => {
  it('has another primary when its own crashes', async () => {
    const before = await server().primary();
    await before.crash();
    await until('another is promoted', async () => (await server().primary()) !== before);
  });
});

describePrivate('redis', 'a Redis for one spec', (server) => {
  it('is stopped, crashed and started at its address', () => stopsAndStarts(server()), LONG_MS);

  it('leaves no folder when it is removed, twice', async () => {
    const before = foldersOf('redis');
    const other = await startPrivate('redis');
    const [folder] = foldersOf('redis').filter((name) => !before.includes(name));
    expect(folder).toBeDefined();
    await other.remove();
    await other.remove();
    expect(existsSync(`${tmpdir()}/${folder}`)).toBe(false);
    await until('its port is free', async () => !(await listens(other.url)));
  });
});

describePrivate('mqtt', 'a Mosquitto for one spec', (server) => {
  it('is stopped, crashed and started at its address', () => stopsAndStarts(server()), LONG_MS);
});

describePrivate('rabbitmq', 'a RabbitMQ for one spec', (server) => {
  it('is stopped, crashed and started at its address', () => stopsAndStarts(server()), LONG_MS);

  it(
    'is told what to do by rabbitmqctl, and nobody else is',
    async () => {
      expect(await server().ctl('status')).toContain(`private-${new URL(server().url).port}@localhost`);
    },
    LONG_MS,
  );
});

describePrivate('kafka', 'a Kafka for one spec', (server) => {
  it('is stopped, crashed and started at its address', () => stopsAndStarts(server()), LONG_MS);
});

describePrivate('rocketmq', 'a RocketMQ for one spec', (server) => {
  it('is stopped, crashed and started at its address', () => stopsAndStarts(server()), LONG_MS);
});
