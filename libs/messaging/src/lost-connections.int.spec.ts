import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type MessageContext, quoted, silentLogger } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { describeOn, until } from '@tidings/testing';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import { boot, closeAll, eager, type Gift, GiftSent, inMemory } from './test-application.fixture';

let inHandler: (gift: Gift, context: MessageContext) => Promise<unknown>;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking', ordered: true, concurrency: 4, retry: eager(50) })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into ranking values ($1, $2)', [gift.room, gift.coins]);
    await inHandler(gift, context);
  }
}

describeOn('postgres', 'connections', (url) => {
  const schema = `lost_${randomBytes(4).toString('hex')}`;
  const admin = new Client({ connectionString: url });

  beforeAll(async () => {
    await admin.connect();
    await admin.query(`create schema ${quoted(schema)}`);
    await admin.query(`create table ${quoted(schema)}.ranking (room text, coins int)`);
  });
  beforeEach(async () => {
    inHandler = () => Promise.resolve();
    await admin.query(`truncate ${quoted(schema)}.ranking`);
  });
  afterEach(closeAll);
  afterAll(async () => {
    await admin.query(`drop schema ${quoted(schema)} cascade`);
    await admin.end();
  });

  const start = async (poolSize: number, extra: object = {}) => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_fields: object, text: string) => void warnings.push(text) };
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      poolSize,
      poolErrorHandler: () => undefined,
      applicationName: schema,
      extra: { options: `-c search_path=${schema}`, ...extra },
    }).initialize();
    const store = typeorm(dataSource, { schema, connections: 2, logger });
    const transports = { main: postgres({ store, leaseMs: 2_000 }) };
    const app = await boot(
      MessagingModule.forRoot(inMemory({ stores: { default: store }, transports, migrate, logger })),
      {
        providers: [RankGift],
      },
    );
    const outbox = app.get(Outbox);
    const run = randomBytes(4).toString('hex');
    /**
     * As a client that repeats itself until it was told of the commit, under one id. (Whatever it was told else: TypeORM releases the runner of a lost
     * connection, and then says only that.)
     */
    const send = async (gift: Gift): Promise<void> => {
      for (;;) {
        try {
          return void (await dataSource.transaction(async (em) => {
            await em.query('select 1');
            await outbox.within(em).publish(GiftSent, gift, { id: `${run}-${gift.coins}` });
          }));
        } catch (thrown) {
          if (!dataSource.isInitialized) throw thrown;
        }
      }
    };
    return { app, dataSource, store, send, warnings, close: async () => (await closeAll(), dataSource.destroy()) };
  };
  const ranked = async (): Promise<number[]> => {
    const { rows } = await admin.query<{ coins: number }>(`select coins from ${quoted(schema)}.ranking order by coins`);
    return rows.map(({ coins }) => coins);
  };
  const allRanked = async (count: number): Promise<void> => {
    await until('all ranked', async () => (await ranked()).length >= count, { withinMs: 60_000 });
    expect(await ranked()).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  };
  const kill = async (where: string): Promise<number> => {
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1 and ${where}`,
      [`${schema}%`],
    );
    return rowCount ?? 0;
  };

  it.each([
    ['the one that listens', `query ilike 'listen%'`],
    ['Tidings’ own', `application_name like '%(tidings)' and query not ilike 'listen%'`],
    [
      'the user’s, in handlers and publishes',
      `application_name not like '%(tidings)' and state like 'idle in transaction%'`,
    ],
    ['all of them', `true`],
  ])(
    'killed again and again while messages pass, nothing is lost or doubled, and all comes back: %s',
    async (_which, where) => {
      const { dataSource, send, close } = await start(6);
      inHandler = (_gift, context) => managerOf(context).query('select pg_sleep(0.01)');
      let sent = 0;
      const sending = Promise.all(
        Array.from({ length: 3 }, async (_, sender) => {
          for (let n = 0; n < 20; n++) {
            await send({ room: `r${sender}`, coins: sender * 20 + n + 1 });
            sent += 1;
          }
        }),
      );
      let killed = 0;
      await until('killed six times', async () => (killed += await kill(where)) >= 6, {
        withinMs: 30_000,
        everyMs: 50,
      });
      await sending;
      expect(sent).toBe(60);
      await allRanked(60);
      await send({ room: 'after', coins: 61 });
      await allRanked(61);
      await close();
      expect(dataSource.isInitialized).toBe(false);
    },
    120_000,
  );

  it('more handlers than connections, and each asks for a second one: its time-out frees them, and all are handled once', async () => {
    const { dataSource, send, warnings, close } = await start(2, { connectionTimeoutMillis: 200 });
    const failures: string[] = [];
    inHandler = async (gift, context) => {
      if (context.attempt > 1) return;
      await dataSource.query('select 1').catch((error: Error) => {
        failures.push(error.message);
        throw error;
      });
    };
    await Promise.all(Array.from({ length: 12 }, (_, n) => send({ room: `r${n}`, coins: n + 1 })));
    await allRanked(12);
    expect(failures).toContain('timeout exceeded when trying to connect');
    expect(warnings.filter((text) => text.includes('no time-out'))).toEqual([]);
    await close();
  }, 90_000);

  it('a pool of one connection, many publishers and handlers: each waits its turn, Tidings needs none of it', async () => {
    const { send, warnings, close } = await start(1);
    await Promise.all(Array.from({ length: 20 }, (_, n) => send({ room: `r${n % 3}`, coins: n + 1 })));
    await allRanked(20);
    expect(warnings.filter((text) => text.includes('has no time-out'))).toHaveLength(1);
    await close();
  }, 90_000);
});
