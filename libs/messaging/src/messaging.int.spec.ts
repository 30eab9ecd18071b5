import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  defineMessage,
  fixed,
  type Message,
  type MessageContext,
  NonRetriableError,
  NotInTransactionError,
  quoted,
  silentLogger,
  type Transport,
} from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { describeOn, until } from '@tidings/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { InjectOutbox } from './decorators/inject-outbox.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingHealth } from './lifecycle/messaging-health';
import { MessagingModule } from './messaging.module';
import type { MessagingOptions } from './messaging.options';
import { ApplicationDeadLetters } from './publishing/application-dead-letters';
import { boot, closeAll, type Gift, GiftSent, inMemory, rose } from './test-application.fixture';

const RankChanged = defineMessage('rank.changed', { schema: z.object({ room: z.string(), coins: z.number() }) });

/** What goes wrong in the handler, by the attempt. */
let fail: (context: MessageContext) => void;
let delivered: Message[];

@Injectable()
class RankGift {
  constructor(@InjectOutbox() private readonly outbox: Outbox) {}

  @OnMessage(GiftSent, { group: 'ranking', ordered: true, retry: fixed({ attempts: 3, immediate: 1, delayMs: 0 }) })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    const [row] = await managerOf(context).query<{ coins: number }[]>(
      'insert into ranking values ($1, $2) on conflict (room) do update set coins = ranking.coins + $2 returning coins',
      [gift.room, gift.coins],
    );
    const rank = { room: gift.room, coins: row!.coins };
    await this.outbox.within(context.transaction).publish(RankChanged, rank, { cause: context.message });
    fail(context);
  }

  @OnMessage(RankChanged, { group: 'badges' })
  async upgrade({ room, coins }: Gift, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into badge values ($1, $2)', [room, `${coins} coins`]);
  }
}

describeOn('postgres', 'MessagingModule on PostgreSQL', (url) => {
  const schema = `messaging_${randomBytes(4).toString('hex')}`;
  let dataSource: DataSource;

  beforeAll(async () => {
    dataSource = new DataSource({ type: 'postgres', url, extra: { options: `-c search_path=${schema}` } });
    await dataSource.initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
    await dataSource.query('create table gift (room text, coins int)');
    await dataSource.query('create table ranking (room text primary key, coins int)');
    await dataSource.query('create table badge (room text, title text)');
  });
  beforeEach(async () => {
    fail = () => undefined;
    delivered = [];
    await dataSource.query('truncate gift, ranking, badge');
  });
  afterEach(closeAll);
  afterAll(async () => {
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
    await dataSource.destroy();
  });

  const start = async (transport?: Transport, more: Partial<MessagingOptions> = {}) => {
    const store = typeorm(dataSource, { schema });
    const options = inMemory({
      stores: { default: store },
      transports: { main: transport ?? postgres({ store }) },
      migrate,
      middleware: [(context, next) => (delivered.push(context.message), next())],
      ...more,
    });
    const app = await boot(MessagingModule.forRoot(options), { providers: [RankGift] });
    const outbox = app.get(Outbox);
    const send = (gift: Gift, then: (em: EntityManager) => void = () => undefined, id?: string) =>
      dataSource.transaction(async (em) => {
        await em.query('insert into gift values ($1, $2)', [gift.room, gift.coins]);
        await outbox.within(em).publish(GiftSent, gift, id === undefined ? {} : { id });
        then(em);
      });
    return { app, outbox, send };
  };
  const rows = async (text: string): Promise<unknown[]> => dataSource.query<unknown[]>(text);
  const arrived = (type: string): number => delivered.filter((message) => message.type === type).length;
  const badges = (count: number) =>
    until(`${count} badges`, async () => (await rows('select * from badge')).length === count);

  it.each<[string, () => Transport | undefined]>([
    ['a transport that reads the log itself', () => undefined],
    ['the relay and another transport', () => memory({ broker: new MemoryBroker() })],
  ])('applies each gift once, and what its handler publishes: %s', async (_by, transport) => {
    const { app, send } = await start(transport());
    await send(rose);
    await badges(1);
    const twice = randomUUID();
    for (const id of [twice, twice]) await send({ ...rose, coins: 3 }, undefined, id);
    await until('the copy came', () => arrived('gift.sent') === 3);
    await badges(2);
    await send({ room: 'r2', coins: 1 });
    await badges(3);
    expect(await rows('select room, coins from ranking order by room')).toEqual([
      { room: 'r1', coins: 10 },
      { room: 'r2', coins: 1 },
    ]);
    expect(await rows('select title from badge order by title')).toEqual(
      ['1 coins', '10 coins', '7 coins'].map((title) => ({ title })),
    );
    const [gift, rank] = ['gift.sent', 'rank.changed'].map((type) =>
      delivered.find((message) => message.type === type),
    );
    expect(rank?.headers).toMatchObject({ causationid: gift?.id, correlationid: gift?.id });
    expect(app.get(MessagingHealth).check()).toMatchObject({ up: true, consumers: { up: 2, total: 2 } });
  });

  it('publishes nothing of a transaction that rolls back, the handler’s included', async () => {
    const { send } = await start();
    const rolledBack = send({ room: 'gone', coins: 1 }, () => {
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    const attempts: number[] = [];
    fail = ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('not yet');
    };
    await send(rose);
    await badges(1);
    expect(attempts).toEqual([1, 2, 3]);
    await send({ ...rose, coins: 1 });
    await badges(2);
    expect(await rows('select * from ranking')).toEqual([{ room: 'r1', coins: 8 }]);
    expect(arrived('rank.changed')).toBe(2);
    expect(await rows('select * from gift where room = $$gone$$')).toEqual([]);
  });

  it('gives every attempt a transaction of its own, those made at once too', async () => {
    const { send } = await start();
    fail = ({ attempt }) => {
      if (attempt === 1) throw new Error('not yet'); // after its effect; the second is made at once
    };
    await send(rose);
    await badges(1);
    expect(await rows('select * from ranking')).toEqual([{ room: 'r1', coins: 7 }]);
    expect(arrived('rank.changed')).toBe(1);
  });

  it('buries what fails for good with its story, says so, and sends it again', async () => {
    const errors: object[] = [];
    const logger = { ...silentLogger, error: (fields: object) => void errors.push(fields) };
    const { app, send } = await start(undefined, { logger });
    fail = () => {
      throw new NonRetriableError('the room is closed');
    };
    await send(rose);
    const deadLetters = app.get(ApplicationDeadLetters);
    await until('it is buried', async () => (await deadLetters.list()).length === 1);
    const [letter] = await deadLetters.list();
    const reason = 'not retriable: the room is closed';
    expect(await deadLetters.find(letter!.id)).toMatchObject({
      handler: 'RankGift.rank',
      place: 'ranking',
      reason,
      attempts: 1,
    });
    expect(errors).toMatchObject([{ direction: 'inbound', place: 'ranking', type: 'gift.sent', reason }]);
    expect(await rows('select * from ranking')).toEqual([]);
    fail = () => undefined;
    expect(await deadLetters.redrive(letter!.id)).toEqual({ outcome: 'redriven', generation: 1 });
    await badges(1);
    expect(await deadLetters.redrive(letter!.id)).toEqual({ outcome: 'settled', status: 'redriven' });
  });

  it('refuses to publish outside of a transaction', async () => {
    const { outbox } = await start();
    expect(() => outbox.within(dataSource.manager)).toThrow(NotInTransactionError);
  });

  it('refuses to start without tables, and tells how to make them', async () => {
    const bare = typeorm(dataSource, { schema: `${schema}_bare` });
    const options = inMemory({ stores: { default: bare } });
    await expect(boot(MessagingModule.forRoot(options))).rejects.toMatchObject({ code: 'TIDINGS_SCHEMA' });
  });
});
