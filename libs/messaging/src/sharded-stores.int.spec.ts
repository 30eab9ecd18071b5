import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Message, type MessageContext, NonRetriableError, quoted } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import type { Outbox } from '@tidings/outbox';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { getDeadLettersToken } from './decorators/inject-dead-letters.decorator';
import { getOutboxToken } from './decorators/inject-outbox.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import type { ApplicationDeadLetters } from './publishing/application-dead-letters';
import { sharded } from './sharded';
import { boot, closeAll, type Gift, GiftSent, inMemory } from './test-application.fixture';

const SHARDS = ['east', 'west'] as const;
type Shard = (typeof SHARDS)[number];

/** Rooms are named after their shard: `east-1`. */
const shardOf = ({ key }: Message): string => {
  if (key === 'torn') throw new Error('no such room');
  return key!.split('-')[0]!;
};
let fail: () => void;
let calls: number;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking', ordered: true, store: sharded(SHARDS, shardOf) })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    calls += 1;
    await managerOf(context).query('insert into ranking values ($1, $2)', [gift.room, gift.coins]);
    fail();
  }
}

describeOn('postgres', 'a handler with sharded stores', (url) => {
  const prefix = `sharded_${randomBytes(4).toString('hex')}`;
  const dataSources = {} as Record<Shard, DataSource>;

  beforeAll(async () => {
    for (const shard of SHARDS) {
      const schema = `${prefix}_${shard}`;
      const options = `-c search_path=${schema}`;
      dataSources[shard] = await new DataSource({
        type: 'postgres',
        url,
        poolSize: 3,
        extra: { options },
      }).initialize();
      await dataSources[shard].query(`create schema ${quoted(schema)}`);
      await dataSources[shard].query('create table ranking (room text, coins int)');
    }
  });
  beforeEach(async () => {
    fail = () => undefined;
    calls = 0;
    for (const shard of SHARDS) await dataSources[shard].query('truncate ranking');
  });
  afterEach(closeAll);
  afterAll(async () => {
    for (const shard of SHARDS) {
      await dataSources[shard].query(`drop schema ${quoted(`${prefix}_${shard}`)} cascade`);
      await dataSources[shard].destroy();
    }
  });

  const start = async () => {
    const stores = Object.fromEntries(
      SHARDS.map((shard) => [shard, typeorm(dataSources[shard], { schema: `${prefix}_${shard}`, connections: 2 })]),
    );
    const settled: string[] = [];
    const app = await boot(
      MessagingModule.forRoot(
        inMemory({
          stores,
          migrate,
          transports: { main: memory({ broker: new MemoryBroker() }) },
          middleware: [
            async ({ message }, next) => {
              const settlement = await next();
              settled.push(`${message.id} ${settlement.kind}`);
              return settlement;
            },
          ],
        }),
      ),
      { providers: [RankGift] },
    );
    const outbox = (shard: Shard) => app.get<Outbox>(getOutboxToken(shard));
    return {
      settled,
      send: (by: Shard, room: string, id: string) =>
        dataSources[by].transaction((em) => outbox(by).within(em).publish(GiftSent, { room, coins: 1 }, { id })),
      letters: (shard: Shard) => app.get<ApplicationDeadLetters>(getDeadLettersToken(shard)),
    };
  };
  const rooms = async (shard: Shard): Promise<string[]> =>
    (await dataSources[shard].query<{ room: string }[]>('select room from ranking order by room')).map((r) => r.room);
  const inboxRows = async (shard: Shard): Promise<number> =>
    (await dataSources[shard].query<unknown[]>('select 1 from inbox where sealed is null')).length;

  it('runs in the shard that the message names, with its inbox, whichever shard it was published by', async () => {
    const { send, settled } = await start();
    const before = await Promise.all(SHARDS.map(inboxRows));
    await send('east', 'east-1', 'a');
    await send('east', 'west-1', 'b');
    await send('west', 'west-2', 'c');
    await send('west', 'west-1', 'b'); // a copy, by another way
    await until('all settled', () => settled.length === 4, { withinMs: 30_000 });
    expect([await rooms('east'), await rooms('west')]).toEqual([['east-1'], ['west-1', 'west-2']]);
    expect(calls).toBe(3);
    const after = await Promise.all(SHARDS.map(inboxRows));
    expect(after.map((rows, index) => rows - before[index]!)).toEqual([1, 2]);
  });

  it('buries in that shard, and redrives from there', async () => {
    const { send, letters } = await start();
    fail = () => {
      throw new NonRetriableError('closed');
    };
    await send('east', 'west-3', 'd');
    await until('buried', async () => (await letters('west').list()).length === 1, { withinMs: 30_000 });
    expect(await letters('east').list()).toEqual([]);
    fail = () => undefined;
    const [letter] = await letters('west').list();
    expect(await letters('west').redrive(letter!.id)).toEqual({ outcome: 'redriven', generation: 1 });
    await until('handled', async () => (await rooms('west')).length === 1, { withinMs: 30_000 });
    expect(await rooms('east')).toEqual([]);
  });

  it('a message that no store is found for is dead-lettered with the reason, and holds nobody up', async () => {
    const { send, letters } = await start();
    await send('west', 'north-1', 'e');
    await send('west', 'torn', 'f');
    await send('west', 'west-4', 'g');
    await until('two letters', async () => (await letters('east').list()).length === 2, { withinMs: 30_000 });
    await until('the others go on', async () => (await rooms('west')).length === 1, { withinMs: 30_000 });
    const reasons = (await letters('east').list()).map(({ reason }) => reason);
    expect(reasons.sort()).toEqual([
      'no store: expected the store function of RankGift.rank to answer one of east, west, found "north"; mend it, then redrive',
      'no store: expected the store function of RankGift.rank to answer one of east, west, found it throws: no such room; mend it, then redrive',
    ]);
    expect(calls).toBe(1);
  });
});
