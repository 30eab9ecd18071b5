import { randomBytes } from 'node:crypto';
import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { defineMessage, type MessageContext, quoted, type Settlement, type Transport } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { ApplicationDeadLetters, type MessageContract, MessagePublisher, MessagingModule, OnMessage } from '@tidings/messaging'; // prettier-ignore
import { postgres } from '@tidings/postgres';
import { describeOn, ManualClock, until as untilTrue } from '@tidings/testing';
import { Pool } from 'pg';
import { z } from 'zod';
import { boot, closeAll, inMemory } from '../../libs/messaging/src/test-application.fixture';

const key = ({ room }: { room: string }): string => room;
/** N−1 knows coins. N knows an amount, and what N−1 meant. */
const Old = defineMessage('gift.sent', { schema: z.object({ room: z.string(), coins: z.number() }), key });
const New = defineMessage('gift.sent', {
  version: 2,
  schema: z.object({ room: z.string(), amount: z.number() }),
  key,
  upcast: { 1: ({ room, coins }: { room: string; coins: number }) => ({ room, amount: coins }) },
});

interface Handled {
  readonly payload: unknown;
  readonly attempt: number;
}

function handlerOf(contract: MessageContract<unknown, never>, group: string, ordered: boolean, handled: Handled[]) {
  @Injectable()
  class Handler {
    @OnMessage(contract, { group, ordered })
    handle(payload: unknown, { attempt }: MessageContext): Promise<void> {
      handled.push({ payload, attempt });
      return Promise.resolve();
    }
  }
  return Handler;
}

describeOn('postgres', 'a rolling deployment', (url) => {
  const schema = `rolling_${randomBytes(4).toString('hex')}`;
  const pools: Pool[] = [];
  const newStore = () => {
    const pool = new Pool({ connectionString: url, max: 4 });
    pools.push(pool);
    return pg(pool, { schema });
  };
  /** Past the wait of what is parked, for whoever asks the database's clock. */
  const laterInDatabase = () =>
    pools[0]!.query(
      `create or replace function ${quoted(schema)}.now() returns timestamptz language sql volatile parallel safe
         as 'select clock_timestamp() + interval ''31 seconds'''`,
    );

  const keyIsParked = async () => {
    const { rowCount } = await pools[0]!.query(`select from ${quoted(schema)}.parked_key where key = 'r1'`);
    return rowCount === 1;
  };

  afterEach(async () => {
    await closeAll();
    await pools[0]?.query(`drop schema if exists ${quoted(schema)} cascade`);
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
  });

  describe.each(['memory', 'postgres'])('on %s', (kind) => {
    const clock = new ManualClock();
    let broker: MemoryBroker;
    let settled: Settlement[];
    /** The broker's clock goes on while somebody waits: a retry for another reason than parking must come. */
    const until = (what: string, condition: () => boolean) =>
      untilTrue(what, () => {
        clock.advance(10);
        return condition();
      });

    const start = (
      contract: MessageContract<unknown, never>,
      group: string,
      ordered: boolean,
      handled: Handled[],
    ): Promise<INestApplicationContext> => {
      const store = newStore();
      const transport: Transport =
        kind === 'memory' ? memory({ broker, clock }) : postgres({ store, pollMs: 200, leaseMs: 1_000 });
      const options = inMemory({
        stores: { default: store },
        transports: { main: transport },
        migrate,
        middleware: [
          async (_, next) => {
            const settlement = await next();
            settled.push(settlement);
            return settlement;
          },
        ],
      });
      return boot(MessagingModule.forRoot(options), { providers: [handlerOf(contract, group, ordered, handled)] });
    };

    it.each([false, true])('loses nothing when senders go first, ordered: %s', async (ordered) => {
      broker = new MemoryBroker({ clock });
      settled = [];
      const [old, others, next]: [Handled[], Handled[], Handled[]] = [[], [], []];
      const oldApp = await start(Old, 'ranking', ordered, old);
      const newApp = await start(New, 'audit', ordered, others);

      await oldApp.get(MessagePublisher).publish(Old, { room: 'r1', coins: 5 });
      await newApp.get(MessagePublisher).publish(New, { room: 'r1', amount: 7 });
      await oldApp.get(MessagePublisher).publish(Old, { room: 'r1', coins: 6 });
      await oldApp.get(MessagePublisher).publish(Old, { room: 'r2', coins: 1 });

      await until('the new consumer has all', () => others.length === 4);
      const amounts = others.map(({ payload }) => (payload as { amount: number }).amount);
      expect(ordered ? amounts.filter((amount) => amount !== 1) : amounts.sort()).toEqual(ordered ? [5, 7, 6] : [1, 5, 6, 7]); // prettier-ignore
      await until('the old consumer has what it knows', () => old.length === (ordered ? 2 : 3));
      const parked = () => settled.some(({ kind: settlement }) => settlement === 'park');
      await (ordered ? untilTrue('its key is parked', keyIsParked) : until('one is parked', parked));
      expect(old.map(({ payload }) => (payload as { coins: number }).coins).sort()).toEqual(ordered ? [1, 5] : [1, 5, 6]); // prettier-ignore

      await oldApp.close();
      await laterInDatabase(); // before the start: who waits for a parked key counts from its own clock
      const rolled = await start(New, 'ranking', ordered, next);
      clock.advance(31_000);
      const expected = ordered ? [7, 6] : [7];
      await until('the new version has the rest', () => next.length === expected.length);
      expect(next).toEqual(expected.map((amount) => ({ payload: { room: 'r1', amount }, attempt: 1 })));
      expect(await rolled.get(ApplicationDeadLetters).list()).toEqual([]);
    });
  });
});
