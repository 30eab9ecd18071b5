import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { quoted, type Transport } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { kafka } from '@tidings/kafka';
import { type MessageContext, MessagingModule, OnMessage, Outbox } from '@tidings/messaging';
import { redis } from '@tidings/redis';
import { describeOn, server, until } from '@tidings/testing';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { DataSource } from 'typeorm';
import { boot, closeAll, type Gift, GiftSent, inMemory } from '../../libs/messaging/src/test-application.fixture';

const GROUP = 'ranking';
const RECOVERED_WITHIN_MS = 30_000;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: GROUP, ordered: true })
  async rank({ coins }: Gift, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into ranking values ($1)', [coins]);
  }
}

interface Place {
  readonly url: string;
  readonly prefix: string;
}
type Destroy = (place: Place) => Promise<unknown>;

const atRedis =
  (destroy: (admin: Redis, base: string) => Promise<unknown>): Destroy =>
  async ({ url, prefix }) => {
    const admin = new Redis(url);
    await destroy(admin, `${prefix}:{${GiftSent.topic}}`);
    await admin.quit();
  };
const STREAMS = [0, 1, 2, 3];
const openRedis = ({ url, prefix }: Place) => redis({ urls: url, prefix, streams: STREAMS.length });

const deleteTopic: Destroy = async ({ url, prefix }) => {
  const admin = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [`${prefix}.${GiftSent.topic}`] });
  await admin.disconnect();
};

describe.each([
  ['redis', 'its group is destroyed', openRedis, atRedis((admin, base) => Promise.all(STREAMS.map((number) => admin.xgroup('DESTROY', `${base}:${number}`, GROUP))))], // prettier-ignore
  ['redis', 'its streams are deleted', openRedis, atRedis((admin, base) => admin.del(...STREAMS.map((number) => `${base}:${number}`)))], // prettier-ignore
  [
    'kafka',
    'its topic is deleted',
    ({ url, prefix }: Place) => kafka({ urls: url, prefix, partitions: 2 }),
    deleteTopic,
  ],
] as const)('An application on %s', (broker, what, open, destroy) => {
  describeOn(broker, `when ${what}`, (url) => {
    const prefix = `deleted-${randomBytes(4).toString('hex')}`;
    const schema = prefix.replace('-', '_');
    let dataSource: DataSource;

    beforeAll(async () => {
      dataSource = new DataSource({ type: 'postgres', url: server('postgres')!, extra: { options: `-c search_path=${schema}` } }); // prettier-ignore
      await dataSource.initialize();
      await dataSource.query(`create schema ${quoted(schema)}`);
      await dataSource.query('create table ranking (coins int)');
    });
    afterAll(async () => {
      await closeAll();
      const cleaner: Transport & { removeTopic(topic: string, groups: readonly string[]): Promise<void> } = open({ url, prefix }); // prettier-ignore
      await cleaner.removeTopic(GiftSent.topic, [GROUP]);
      await cleaner.close();
      await dataSource.query(`drop schema ${quoted(schema)} cascade`);
      await dataSource.destroy();
    }, 60_000);

    it('handles within 30 s what it publishes from then on', async () => {
      const stores = { default: typeorm(dataSource, { schema }) };
      const messaging = MessagingModule.forRoot(inMemory({ stores, transports: { main: open({ url, prefix }) }, migrate })); // prettier-ignore
      const app = await boot(messaging, { providers: [RankGift] });
      const send = async (coins: number): Promise<void> => {
        await dataSource.transaction((em) => app.get(Outbox).within(em).publish(GiftSent, { room: `r${coins % 3}`, coins })); // prettier-ignore
      };
      const ranked = async (): Promise<number[]> => (await dataSource.query<{ coins: number }[]>('select coins from ranking order by coins')).map(({ coins }) => coins); // prettier-ignore
      const has = (count: number) => async () => (await ranked()).length === count;
      const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
      for (const coins of numbers(0, 6)) await send(coins);
      await until('it works', has(6), { withinMs: 20_000 });
      await destroy({ url, prefix });
      for (const coins of numbers(6, 12)) await send(coins);
      await until('it has recovered', has(12), { withinMs: RECOVERED_WITHIN_MS, everyMs: 100 });
      expect(await ranked()).toEqual(numbers(0, 12));
    }, 90_000);
  });
});
