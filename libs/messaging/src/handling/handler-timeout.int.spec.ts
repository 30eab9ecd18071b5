import { Injectable } from '@nestjs/common';
import { fixed, type MessageContext, systemClock, TimeoutError } from '@tidings/core';
import { clientOf, managerOf } from '@tidings/database';
import { describeOn, Gate, server, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { closeAll, type Gift, GiftSent, rose } from '../test-application.fixture';
import { SpecGround, type STORES } from './spec-ground.fixture';

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

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'A handler that takes longer than its time', () => {
    let ground: SpecGround;
    let late: Gate;

    beforeAll(async () => {
      ground = await SpecGround.at(server('postgres')!);
      await ground.query('create table ranking (room text, coins int)');
    });
    beforeEach(async () => {
      late = new Gate();
      await ground.query('truncate ranking');
    });
    afterEach(async () => {
      late.open();
      await closeAll();
    });
    afterAll(() => ground.close());

    const start = (by: (typeof STORES)[number]) => {
      const store = ground.store(by);
      const transport = ground.transport(kind, store, { [GiftSent.topic]: 'ranking' });
      return ground.start(store, transport, [RankGift], { drainMs: 500 });
    };
    const rooms = async (): Promise<string[]> =>
      (await ground.query<{ room: string }>('select room from ranking order by room')).map(({ room }) => room);

    type Lent = { query(text: string, values: unknown[]): Promise<unknown> };
    type Insert = (context: MessageContext, room: string) => Promise<unknown>;
    const INSERT = 'insert into ranking values ($1, 1)';
    const viaManager: Insert = (context, room) => managerOf(context).query(INSERT, [room]);
    const viaClient: Insert = (context, room) => clientOf(context).query(INSERT, [room]);

    it.each<[string, Insert]>([
      ["TypeORM's manager", viaManager],
      ['the raw client', viaClient],
    ])('loses its place and its transaction, though it ignores its signal: %s', async (_, insert) => {
      const { send, letters } = await start('typeorm');
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
      await send([{ ...rose, room: 'bad' }]);
      await send([{ ...rose, room: 'good' }]);
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
      const { send } = await start('pg');
      let runs = 0;
      const pids: number[] = [];
      handle = async (_, context) => {
        runs += 1;
        const client = clientOf(context);
        pids.push((await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid);
        await client.query(INSERT, [`run ${runs}`]);
        if (runs === 1) await client.query('select pg_sleep(2)');
      };
      await send([rose]);
      await until('the second attempt', async () => (await rooms()).length === 1, { withinMs: 30_000 });
      expect(await rooms()).toEqual(['run 2']);
      expect(new Set(pids).size).toBe(2);
    });

    it('hears of it by its signal, and may end by itself', async () => {
      const { send } = await start('typeorm');
      const reasons: unknown[] = [];
      handle = async (_gift, context) => {
        if (context.attempt === 2) return void (await viaManager(context, 'second'));
        await systemClock.wait(60_000, context.signal);
        reasons.push(context.signal.reason);
      };
      await send([rose]);
      await until('the second attempt', async () => (await rooms()).length === 1, { withinMs: 30_000 });
      expect(reasons).toEqual([expect.any(TimeoutError)]);
    });
  });
});
