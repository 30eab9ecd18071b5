import { randomBytes } from 'node:crypto';
import { accept, quoted, silentLogger, type Transport } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { postgresLogMigrations } from '@tidings/postgres-log';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { describeOn, until } from '@tidings/testing';
import { connect } from 'amqplib';
import { Pool } from 'pg';
import { boot, closeAll, GiftSent } from '../test-application.fixture';
import { MessagePublisher } from '../publishing/message-publisher';
import { MessagingHealth } from './messaging-health';

const expects = [{ contract: GiftSent, groups: ['ranking', 'revenue'] }];
const patient = { withinMs: 60_000 };

/** The consumer of a group, deployed once: what it declared stays. */
async function deploy(transport: Transport, group: string, ordered = false): Promise<void> {
  await transport.connect();
  const shape = { topic: 'gift.sent', group, ordered, broadcast: false, concurrency: 1, from: 'now' } as const;
  const active = await transport.subscribe(shape, () => Promise.resolve(accept));
  await active.stop(1_000);
}

async function provesItself(make: () => Transport): Promise<void> {
  const consumer = make();
  await deploy(consumer, 'ranking');
  const warned: unknown[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => void warned.push(fields) };
  const app = await boot({ transports: { main: make() }, roles: ['publish'], expects, logger });
  const health = app.get(MessagingHealth);
  const missing = { contract: 'gift.sent', transport: 'main', topic: 'gift.sent', group: 'revenue' };
  expect(health.check()).toMatchObject({ up: false, missingGroups: [missing], transports: { main: { up: true } } });
  expect(warned).toEqual([{ missing: 'main/gift.sent → revenue' }]);
  await app.get(MessagePublisher).publish(GiftSent, { room: 'r', coins: 1 }); // confirmed: this is the trap
  await deploy(consumer, 'revenue', true);
  await until('the group is found', () => health.check().up, patient);
  expect(health.check().missingGroups).toEqual([]);
  await closeAll();
  await consumer.close();
}

describe('A group that a contract must reach', () => {
  afterEach(closeAll);

  it('makes the health down while it is missing, by the memory transport', async () => {
    const broker = new MemoryBroker();
    await provesItself(() => memory({ broker }));
  }, 90_000);

  it('is not asked for in a process that only handles', async () => {
    const app = await boot({ expects, roles: ['handle'] });
    expect(app.get(MessagingHealth).check()).toMatchObject({ up: true, missingGroups: [] });
  });

  it('is refused at start for a transport that cannot tell its groups', async () => {
    const main = Object.assign(Object.create(null) as object, {
      kind: 'mute',
      connect: () => Promise.resolve(),
      close: () => Promise.resolve(),
      publish: () => Promise.resolve([]),
      subscribe: () => Promise.reject(new Error('none')),
      health: () => ({ up: true, detail: '' }),
    }) as unknown as Transport;
    await expect(boot({ transports: { main }, roles: ['publish'], expects })).rejects.toThrow(
      'contract gift.sent: expected transport "main" to tell its groups, for messaging.expects; mute cannot: take the contract out of it',
    );
  });
});

describeOn('postgres', 'A group that a contract must reach, on PostgreSQL', (url) => {
  const schema = `expected_${randomBytes(4).toString('hex')}`;

  it('makes the health down while it is missing', async () => {
    const pool = new Pool({ connectionString: url, max: 2 });
    const store = pg(pool, { schema, connections: 2, logger: silentLogger });
    await store.connect();
    await migrate(store, postgresLogMigrations);
    await provesItself(() => postgres({ store, logger: silentLogger }));
    await store.close();
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await pool.end();
  }, 90_000);
});

describeOn('rabbitmq', 'A group that a contract must reach, on RabbitMQ', (url) => {
  const prefix = `expected-${randomBytes(4).toString('hex')}`;
  const name = `${prefix}.gift.sent`;

  afterAll(async () => {
    const model = await connect(url);
    const channel = await model.createChannel();
    const queues = [
      'ranking',
      'ranking/dead',
      'ranking/shape',
      'revenue/0of2',
      'revenue/1of2',
      'revenue/dead',
      'revenue/shape',
    ];
    for (const queue of queues) await channel.deleteQueue(`${name}/${queue}`);
    for (const exchange of [`${name}/ranking`, `${name}/revenue`, name]) await channel.deleteExchange(exchange);
    await model.close();
  });

  it('makes the health down while it is missing; an ordered one is there when all its queues are', async () => {
    await provesItself(() => rabbitmq({ urls: url, prefix, orderedQueues: 2, logger: silentLogger }));
    const transport = rabbitmq({ urls: url, prefix, orderedQueues: 2, logger: silentLogger });
    await transport.connect();
    expect(await transport.hasGroup('gift.sent', 'revenue')).toBe(true);
    const model = await connect(url);
    const channel = await model.createChannel();
    await channel.deleteQueue(`${name}/revenue/1of2`);
    await model.close();
    expect(await transport.hasGroup('gift.sent', 'revenue')).toBe(false);
    expect(await transport.hasGroup('gift.sent', 'badges')).toBe(false);
    await transport.close();
    await expect(transport.hasGroup('gift.sent', 'ranking')).rejects.toThrow('groups cannot be asked for');
  }, 90_000);
});
