import { Injectable } from '@nestjs/common';
import { fixed, type MessageContext } from '@tidings/core';
import { clientOf } from '@tidings/database';
import { Outbox } from '@tidings/outbox';
import { describeOn, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { OnMessages } from '../decorators/on-messages.decorator';
import { InjectOutbox } from '../decorators/inject-outbox.decorator';
import { closeAll, type Gift, GiftSent, RoomClosed } from '../test-application.fixture';
import { BatchError } from './batch.error';
import type { BatchContext, BatchItem } from './batch-context';
import { SpecGround, STORES, TRANSPORTS } from './spec-ground.fixture';

const POISON = 1_000; // refused by the table
const GROUPS = { 'gift.sent': 'ranking', 'room.closed': 'closing' };
const within = { withinMs: 60_000 };
const INSERT = 'insert into effect (room, coins) values ($1, $2)';

let batches: number[][];
let named: boolean;
let transactions: Set<unknown>;

@Injectable()
class RankGifts {
  constructor(@InjectOutbox() private readonly outbox: Outbox) {}

  @OnMessages(GiftSent, {
    group: 'ranking',
    ordered: true,
    onFailure: 'skip',
    batch: { size: 20 },
    retry: fixed({ attempts: 2, immediate: 0, delayMs: 5 }),
  })
  async rank(items: BatchItem<Gift>[], context: BatchContext): Promise<void> {
    batches.push(items.map(({ payload }) => payload.coins));
    const failed = items.filter(({ payload }) => payload.coins >= POISON).map(({ id }) => id);
    if (named && failed.length > 0) throw new BatchError(failed);
    for (const { payload } of items) await clientOf(context).query(INSERT, [payload.room, payload.coins]);
    for (const { payload, message } of items)
      await this.outbox.within(context.transaction).publish(RoomClosed, { room: payload.room }, { cause: message });
  }
}

@Injectable()
class CountClosed {
  @OnMessage(RoomClosed, {
    group: 'closing',
    coalesce: { size: 8 },
    retry: fixed({ attempts: 3, immediate: 0, delayMs: 5 }),
  })
  async count({ room }: { room: string }, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into closing values ($1)', [room]);
    transactions.add(context.transaction);
    if (room === 'r2' && context.attempt === 1) throw new Error('its savepoint is rolled back');
  }
}

describeOn('postgres', 'Handlers that share transactions', (url) => {
  let ground: SpecGround;

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(async () => {
    [batches, named, transactions] = [[], false, new Set()];
    await ground.query('truncate effect, closing');
  });
  afterEach(closeAll);
  afterAll(() => ground.close());

  const gifts = (room: string, coins: number[]): Gift[] => coins.map((n) => ({ room, coins: n }));
  const mixed = (): Gift[] => {
    const [a, b, c] = [1, 2, 3].map((room) =>
      gifts(
        `r${room}`,
        Array.from({ length: 15 }, (_, n) => room * 100 + n),
      ),
    );
    a![4] = { room: 'r1', coins: POISON };
    return a!.flatMap((gift, n) => [gift, b![n]!, c![n]!]);
  };

  it.each(
    STORES.flatMap((store) => TRANSPORTS.flatMap((by) => [true, false].map((says) => [store, by, says] as const))),
  )(
    'applies the good ones once and in order, buries the poison, and publishes to a coalesced one: store %s, transport %s, named %s',
    async (store, by, says) => {
      named = says;
      const opened = ground.store(store);
      const { letters, send } = await ground.start(opened, ground.transport(by, opened, GROUPS), [
        RankGifts,
        CountClosed,
      ]);
      const before = (await letters.list({ limit: 100 })).length;
      const all = mixed();
      await send(all);
      await until('all are settled', async () => (await ground.effects()).length === all.length - 1, within);
      for (const room of ['r1', 'r2', 'r3']) {
        const expected = all.filter((gift) => gift.room === room && gift.coins < POISON).map(({ coins }) => coins);
        expect(await ground.effects(room)).toEqual(expected);
      }
      const [letter, ...more] = (await letters.list({ limit: 100 })).slice(0, -before || undefined);
      expect([more.length, letter?.reason]).toEqual([0, expect.stringMatching(/^failed 2 times/)]);
      expect(Math.max(...batches.map(({ length }) => length))).toBeGreaterThan(1);
      expect(batches.filter((coins) => coins.length === 1 && coins[0] === POISON).length).toBeGreaterThan(0);
      // What the batches published is handled too, several in one transaction; what failed there came again.
      const closed = () =>
        ground.query<{ room: string; n: number }>('select room, count(*)::int as n from closing group by 1 order by 1');
      await until('all closings', async () => (await closed()).reduce((sum, { n }) => sum + n, 0) >= 44, within);
      expect(await closed()).toEqual([
        { room: 'r1', n: 14 },
        { room: 'r2', n: 15 },
        { room: 'r3', n: 15 },
      ]);
      const inbox = await ground.query<{ n: number }>(
        `select count(*)::int as n from ${ground.schema}.inbox where subscription = 'closing@room.closed'`,
      );
      expect(inbox[0]!.n).toBeGreaterThanOrEqual(44);
      expect(transactions.size).toBeLessThan(44 + 15);
    },
    120_000,
  );
});
