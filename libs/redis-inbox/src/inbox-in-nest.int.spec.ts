import { randomBytes } from 'node:crypto';
import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { defineMessage, fixed, type Message, type MessageContext, quoted, silentLogger } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { MessagingModule, type MessagingOptions, OnMessage, OnMessages } from '@tidings/messaging';
import { describeOn, testMessage, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { redisInbox } from './redis-inbox';
import { redisInboxFilter } from './redis-inbox-filter';
import { SpecRedis } from './spec-redis.fixture';

const GiftSent = defineMessage('gift.sent', { schema: z.object({ room: z.string() }) });
let handled: string[];
let failing: number;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking', retry: fixed({ attempts: 3, delayMs: 0 }) })
  async rank(_: unknown, { message, transaction }: MessageContext): Promise<void> {
    handled.push(message.id);
    if (transaction) await managerOf({ transaction }).query('insert into ranking values ($1)', [message.id]); // prettier-ignore
    if (failing-- > 0) throw new Error('no luck');
  }
}

@Injectable()
class RankGifts {
  @OnMessages(GiftSent, { group: 'ranking', batch: { size: 10 } })
  async rank(): Promise<void> {}
}

describeOn('postgres', 'an application', (url) =>
  describeOn('redis', 'with an inbox in Redis', (redisUrl) => {
    let server: SpecRedis;
    let app: INestApplicationContext | undefined;
    let main: ReturnType<typeof memory>;
    let settled: number;

    beforeEach(() => {
      [handled, failing, settled, app] = [[], 0, 0, undefined];
      server = new SpecRedis(redisUrl);
    });
    afterEach(async () => {
      await app?.close();
      await server.close();
    });

    const boot = async (
      options: Partial<MessagingOptions>,
      provider: typeof RankGift | typeof RankGifts = RankGift,
    ) => {
      main = memory({ broker: new MemoryBroker() });
      const counting: MessagingOptions['middleware'] = [
        async (_context, next) => {
          const settlement = await next();
          if (settlement.kind === 'accept') settled += 1;
          return settlement;
        },
      ];
      const module = MessagingModule.forRoot({ source: 'spec', transports: { main }, logger: silentLogger, middleware: counting, ...options }); // prettier-ignore
      const testing = await Test.createTestingModule({ imports: [module], providers: [provider] }).compile();
      await testing.init();
      app = testing; // one that does not start closes itself
    };
    const gifts = (count: number): Message[] => Array.from({ length: count }, (_, room) => testMessage({ topic: GiftSent.topic, type: GiftSent.type, payload: { room: `${room}` } })); // prettier-ignore
    const publish = async (messages: readonly Message[]): Promise<void> => {
      const before = settled;
      await main.publish(messages.map((message) => ({ message })));
      await until('all is settled', () => settled >= before + messages.length);
    };

    it('Redis is flushed again and again, and nothing is applied twice: the database behind knows', async () => {
      const schema = `filter_${randomBytes(4).toString('hex')}`;
      const extra = { options: `-c search_path=${schema}` };
      const dataSource = await new DataSource({ type: 'postgres', url, poolSize: 6, extra }).initialize();
      try {
        await dataSource.query(`create schema ${quoted(schema)}`);
        await dataSource.query('create table ranking (id text)');
        const inboxFilter = redisInboxFilter({ client: server.client, prefix: server.prefix, writeEveryMs: 10 });
        await boot({ stores: { default: typeorm(dataSource, { schema, connections: 2 }) }, migrate, inboxFilter });
        const messages = gifts(40);
        failing = 5;
        await publish(messages);
        await until('written behind', async () => (await server.keys()).length === 40);
        const first = handled.length;
        await publish(messages); // copies, told by Redis
        await server.flush();
        await publish(messages); // copies, told by the database
        await until('written again', async () => (await server.keys()).length === 40);
        for (let turn = 0; turn < 5; turn++) await Promise.all([server.flush(), publish(messages), server.flush()]);
        expect(handled).toHaveLength(first);
        const rows = await dataSource.query<{ id: string }[]>('select id from ranking');
        expect(rows.map(({ id }) => id).sort()).toEqual(messages.map(({ id }) => id).sort());
      } finally {
        await app?.close();
        app = undefined;
        await dataSource.query(`drop schema ${quoted(schema)} cascade`);
        await dataSource.destroy();
      }
    });

    it('without a store: handled once, by the inbox in Redis, and a failed one again', async () => {
      await boot({ storelessInbox: redisInbox({ client: server.client, prefix: server.prefix }) });
      const messages = gifts(10);
      failing = 2;
      await publish(messages);
      await publish(messages);
      expect(new Set(handled)).toEqual(new Set(messages.map(({ id }) => id)));
      expect(handled).toHaveLength(12); // two failed once
    });

    it.each([
      [
        'a filter without a store',
        () => ({ inboxFilter: redisInboxFilter({ client: server.client }) }),
        RankGift,
        'messaging.inboxFilter: expected a store',
      ],
      ['an inbox that is none', () => ({ storelessInbox: {} as never }), RankGift, 'messaging.storelessInbox'],
      [
        'a batch without a store',
        () => ({ storelessInbox: redisInbox({ client: server.client }) }),
        RankGifts,
        'expected a store for a batch',
      ],
      [
        'level effectivelyOnce and nothing that remembers',
        () => ({}),
        RankGift,
        'an inbox to messaging.storelessInbox',
      ],
    ] as const)('boot refuses %s', async (_, options, provider, problem) => {
      const booting = (async () => boot(options(), provider))();
      await expect(booting).rejects.toThrow(problem);
    });
  }),
);
