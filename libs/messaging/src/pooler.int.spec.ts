import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type MessageContext, quoted } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { Outbox } from '@tidings/outbox';
import { describeOn, TransactionPooler, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import { boot, closeAll, eager, type Gift, GiftSent, inMemory } from './test-application.fixture';

let attempts: Map<string, number>;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking', ordered: true, concurrency: 4, retry: eager(3) })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    const attempt = (attempts.get(context.message.id) ?? 0) + 1;
    attempts.set(context.message.id, attempt);
    await managerOf(context).query(`insert into ${quoted(schema)}.ranking values ($1, $2)`, [gift.room, gift.coins]);
    if (gift.coins % 5 === 0 && attempt === 1) throw new Error('once more');
  }
}

const schema = `pooler_${randomBytes(4).toString('hex')}`;

describeOn('postgres', 'the user’s pool behind a pooler in transaction mode', (url) => {
  let pooler: TransactionPooler;
  let dataSource: DataSource;

  beforeAll(async () => {
    pooler = await TransactionPooler.start(url, { backends: 3 });
    dataSource = await new DataSource({ type: 'postgres', url: pooler.url, poolSize: 6 }).initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
    await dataSource.query(`create table ${quoted(schema)}.ranking (room text, coins int)`);
  });
  beforeEach(async () => {
    attempts = new Map();
    await dataSource.query(`truncate ${quoted(schema)}.ranking`);
  });
  afterEach(closeAll);
  afterAll(async () => {
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
    await dataSource.destroy();
    await pooler.close();
  });

  it('hands each transaction to another backend, so that the proof below is one', async () => {
    const pids = new Set<number>();
    for (let n = 0; n < 6; n++) {
      const [row] = await dataSource.query<{ pid: number }[]>('select pg_backend_pid() as pid');
      pids.add(row!.pid);
    }
    expect(pids.size).toBe(3);
  });

  it('publishing, relaying and the inbox work through it, Tidings’ own connections going past it', async () => {
    const store = typeorm(dataSource, { schema, connections: 2, connection: { connectionString: url } });
    const transports = { main: memory({ broker: new MemoryBroker() }) };
    const app = await boot(MessagingModule.forRoot(inMemory({ stores: { default: store }, transports, migrate })), {
      providers: [RankGift],
    });
    const outbox = app.get(Outbox);
    const gifts = Array.from({ length: 40 }, (_, n) => ({ room: `r${n % 3}`, coins: n + 1 }));
    await Promise.all(
      gifts.map((gift) =>
        dataSource.transaction(async (em) => {
          const id = `g${gift.coins}`;
          await outbox.within(em).publish(GiftSent, gift, { id });
          if (gift.coins % 4 === 0) await outbox.within(em).publish(GiftSent, gift, { id }); // a copy
        }),
      ),
    );
    const coins = async (): Promise<number[]> =>
      (await dataSource.query<{ coins: number }[]>(`select coins from ${quoted(schema)}.ranking order by coins`)).map(
        (row) => row.coins,
      );
    await until('all ranked', async () => (await coins()).length >= gifts.length, { withinMs: 60_000 });
    await until('nothing waits', async () => (await outbox.backlog()).every(({ messages }) => messages === 0));
    expect(await coins()).toEqual(gifts.map((gift) => gift.coins));
    expect([...attempts.values()].reduce((sum, one) => sum + one)).toBe(40 + 8); // 8 failed once, 10 copies never ran
  });

  it.each(['refuse', 'drop'] as const)(
    'Tidings’ own connections behind it are refused at connect, with the way out (unknown parameters: %s)',
    async (unknown) => {
      const other = await TransactionPooler.start(url, { unknown });
      const store = typeorm(dataSource, { schema, connections: 1, connection: { connectionString: other.url } });
      await expect(store.connect()).rejects.toMatchObject({
        code: 'TIDINGS_POOLER',
        message: expect.stringMatching(
          /^store pooler_\w+: expected .*; give the store a direct one: typeorm\(dataSource, \{ connection: /,
        ),
      });
      await store.close();
      await other.close();
    },
  );

  it('a statement that is prepared by name fails behind it, which is why none is used there', async () => {
    const store = typeorm(dataSource, {
      schema,
      connections: 1,
      connection: { connectionString: url },
      preparedStatements: true,
    });
    const run = () => store.run((transaction) => transaction.query({ name: `named_${schema}`, text: 'select 1' }));
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => run()).concat(Array.from({ length: 4 }, async () => run())),
    );
    const again = await Promise.allSettled(Array.from({ length: 8 }, () => run()));
    expect([...outcomes, ...again].some(({ status }) => status === 'rejected')).toBe(true);
    await store.close();
  });
});
