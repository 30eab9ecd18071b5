import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Message, type MessageContext, NonRetriableError, quoted, systemClock, timestampOf } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import type { PostgresInbox } from '@tidings/inbox';
import { Outbox } from '@tidings/outbox';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import { MessagingRuntime } from './messaging-runtime';
import { ApplicationDeadLetters } from './publishing/application-dead-letters';
import { boot, closeAll, type Gift, GiftSent, inMemory } from './test-application.fixture';

const RETENTION_DAYS = 2;
const DAYS_LATER = 10;

let fail: () => void;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking' })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into ranking values ($1, $2)', [gift.room, gift.coins]);
    fail();
  }
}

describeOn('postgres', 'what comes later than the inbox remembers', (url) => {
  let schema: string;
  let dataSource: DataSource;

  beforeEach(async () => {
    fail = () => undefined;
    schema = `late_${randomBytes(4).toString('hex')}`;
    const extra = { options: `-c search_path=${schema}` };
    dataSource = await new DataSource({ type: 'postgres', url, poolSize: 4, extra }).initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
    await dataSource.query('create table ranking (room text, coins int)');
  });
  afterEach(async () => {
    await closeAll();
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
    await dataSource.destroy();
  });

  const start = async () => {
    const settled: string[] = [];
    const messages: Message[] = [];
    const main = memory({ broker: new MemoryBroker() });
    const app = await boot(
      MessagingModule.forRoot(
        inMemory({
          stores: { default: typeorm(dataSource, { schema, connections: 2 }) },
          transports: { main },
          migrate,
          inbox: { retentionDays: RETENTION_DAYS },
          relay: { pollMs: 200 },
          middleware: [
            async ({ message }, next) => {
              const settlement = await next();
              messages.push(message);
              settled.push(settlement.kind);
              return settlement;
            },
          ],
        }),
      ),
      { providers: [RankGift] },
    );
    const { buckets } = app.get(MessagingRuntime).storeFor('spec').inbox as PostgresInbox;
    return { app, main, settled, messages, outbox: app.get(Outbox), letters: app.get(ApplicationDeadLetters), buckets };
  };
  /** The database's clock goes on by days, and the inbox gives up what is too old by then. */
  const daysPass = async (days: number): Promise<void> => {
    await dataSource.query(
      `create or replace function ${quoted(schema)}.now() returns timestamptz language sql volatile parallel safe as 'select clock_timestamp() + interval ''${days} days'''`,
    );
  };
  const ranked = async (): Promise<number> => (await dataSource.query<unknown[]>('select 1 from ranking')).length;

  it('a message for a day beyond the retention takes effect once when its time has come, and its copies do not', async () => {
    const { main, outbox, settled, messages, letters, buckets } = await start();
    const deliverAt = timestampOf(systemClock.now() + (DAYS_LATER - 0.5) * 86_400_000);
    await dataSource.transaction((em) => outbox.within(em).publish(GiftSent, { room: 'r', coins: 1 }, { deliverAt }));
    await daysPass(DAYS_LATER);
    await buckets.dropExpired();
    await until('handled', () => settled.length === 1, { withinMs: 30_000 });
    expect(messages[0]!.bucket).toBe(deliverAt.slice(0, 10));
    await main.publish([{ message: messages[0]! }, { message: messages[0]! }]);
    await until('the copies came', () => settled.length === 3, { withinMs: 30_000 });
    expect([await ranked(), settled, await letters.list()]).toEqual([1, ['accept', 'accept', 'accept'], []]);
  });

  it('a dead letter redriven after the retention takes effect once, and no copy of either generation does', async () => {
    const { main, outbox, settled, messages, letters, buckets } = await start();
    fail = () => {
      throw new NonRetriableError('closed');
    };
    await dataSource.transaction((em) => outbox.within(em).publish(GiftSent, { room: 'r', coins: 1 }));
    await until('buried', async () => (await letters.list()).length === 1, { withinMs: 30_000 });
    await daysPass(DAYS_LATER);
    const { dropped } = await buckets.dropExpired();
    expect(dropped.length).toBeGreaterThan(0);
    fail = () => undefined;
    const [letter] = await letters.list();
    expect(await letters.redrive(letter!.id)).toMatchObject({ outcome: 'redriven', generation: 1 });
    await until('handled', async () => (await ranked()) === 1, { withinMs: 30_000 });
    const before = settled.length;
    await main.publish([{ message: messages.at(-1)! }]); // a copy of the redriven one
    await main.publish([{ message: messages[0]! }]); // a copy of the original, whose bucket is gone
    await until('the copies came', () => settled.length === before + 2, { withinMs: 30_000 });
    expect(await ranked()).toBe(1);
    expect(await letters.list()).toEqual([]); // outside the horizon now: the letter of that generation is the one that was redriven
  });
});
