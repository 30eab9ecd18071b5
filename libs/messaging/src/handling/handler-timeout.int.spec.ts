import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { fixed, type MessageContext, quoted, type Store, systemClock, TimeoutError } from '@tidings/core';
import { clientOf, managerOf, migrate, pg, typeorm } from '@tidings/database';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { describeOn, Gate, until } from '@tidings/testing';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagingModule } from '../messaging.module';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { boot, closeAll, type Gift, GiftSent, inMemory, rose } from '../test-application.fixture';

let handle: (gift: Gift, context: MessageContext) => Promise<void>;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, {
    group: 'ranking',
    concurrency: 1,
    timeoutMs: 150,
    retry: fixed({ attempts: 2, delayMs: 0 }),
  })
  rank(gift: Gift, context: MessageContext): Promise<void> {
    return handle(gift, context);
  }
}

describeOn('postgres', 'A handler that takes longer than its time', (url) => {
  const schema = `late_${randomBytes(4).toString('hex')}`;
  let pool: Pool;
  let dataSource: DataSource;
  let late: Gate;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 3, options: `-c search_path=${schema}` });
    pool.on('error', () => undefined);
    dataSource = new DataSource({ type: 'postgres', url, extra: { max: 3, options: `-c search_path=${schema}` } });
    await dataSource.initialize();
    await pool.query(`create schema ${quoted(schema)}`);
    await pool.query('create table ranking (room text, coins int)');
  });
  beforeEach(async () => {
    late = new Gate();
    await pool.query('truncate ranking');
  });
  afterEach(async () => {
    late.open();
    await closeAll();
  });
  afterAll(async () => {
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await pool.end();
    await dataSource.destroy();
  });

  const start = async (store: Store) => {
    const transports = { main: postgres({ store }) };
    const options = inMemory({ stores: { default: store }, transports, migrate, drainMs: 500 });
    const app = await boot(MessagingModule.forRoot(options), { providers: [RankGift] });
    const send = (gift: Gift) =>
      store.run((transaction) => app.get(Outbox).within(transaction).publish(GiftSent, gift));
    return { letters: app.get(ApplicationDeadLetters), send };
  };
  const rooms = async (): Promise<string[]> =>
    (await pool.query<{ room: string }>('select room from ranking order by room')).rows.map(({ room }) => room);

  type Lent = { query(text: string, values: unknown[]): Promise<unknown> };
  type Insert = (context: MessageContext, room: string) => Promise<unknown>;
  const INSERT = 'insert into ranking values ($1, 1)';
  const viaManager: Insert = (context, room) => managerOf(context).query(INSERT, [room]);
  const viaClient: Insert = (context, room) => clientOf(context).query(INSERT, [room]);

  it.each<[string, Insert]>([
    ["TypeORM's manager", viaManager],
    ['the raw client', viaClient],
  ])('loses its place and its transaction, though it ignores its signal: %s', async (_, insert) => {
    const { send, letters } = await start(typeorm(dataSource, { schema }));
    const before = (await letters.list()).length;
    const ends: unknown[] = [];
    handle = async (gift, context) => {
      if (gift.room === 'good') return void (await insert(context, 'good'));
      await insert(context, 'before');
      const lent: Lent = insert === viaManager ? managerOf(context) : clientOf(context);
      const writing = late.opened.then(() => lent.query(INSERT, ['late']));
      ends.push(
        writing.then(
          () => 'written',
          () => 'refused',
        ),
      );
      await writing;
    };
    await send({ ...rose, room: 'bad' });
    await send({ ...rose, room: 'good' });
    // One place only: the good one is handled, so the late one does not hold it.
    await until('the good one', async () => (await rooms()).includes('good'), { withinMs: 30_000 });
    await until('the letter', async () => (await letters.list()).length > before, { withinMs: 30_000 });
    late.open();
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['refused']));
    expect(await rooms()).toEqual(['good']);
    const letter = (await letters.list()).at(-1);
    const { attempts, failures } = (await letters.find(letter!.id))!;
    expect([attempts, failures.map(({ errors }) => errors[0]!.name)]).toEqual([2, ['TimeoutError', 'TimeoutError']]);
  });

  it('does not wait for a statement that hangs, nor leaves it the connection', async () => {
    const { send } = await start(pg(pool, { schema }));
    let runs = 0;
    const pids: number[] = [];
    handle = async (_, context) => {
      runs += 1;
      const client = clientOf(context);
      pids.push((await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid);
      await client.query(INSERT, [`run ${runs}`]);
      if (runs === 1) await client.query('select pg_sleep(2)');
    };
    await send(rose);
    await until('the second attempt', async () => (await rooms()).length === 1, { withinMs: 30_000 });
    expect(await rooms()).toEqual(['run 2']);
    expect(new Set(pids).size).toBe(2);
  });

  it('hears of it by its signal, and may end by itself', async () => {
    const { send } = await start(typeorm(dataSource, { schema }));
    const reasons: unknown[] = [];
    handle = async (_gift, context) => {
      if (context.attempt === 2) return void (await viaManager(context, 'second'));
      await systemClock.wait(60_000, context.signal);
      reasons.push(context.signal.reason);
    };
    await send(rose);
    await until('the second attempt', async () => (await rooms()).length === 1, { withinMs: 30_000 });
    expect(reasons).toEqual([expect.any(TimeoutError)]);
  });
});
