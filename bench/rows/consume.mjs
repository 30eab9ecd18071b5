// Consuming one by one, effectively once: inbox row and one effect row in a transaction each, 16 at once, against limits.mjs D.
// In batches and coalesced: consume-together.mjs.
import { MessageFactory, systemClock } from '@tidings/core';
import { clientOf, managerOf } from '@tidings/database';
import { startApplication } from '../application.mjs';
import { gift, GiftSent } from '../gift.mjs';
import { openPrefix } from '../own-prefix.mjs';
import { openSchema } from '../own-schema.mjs';
import { interleave, stopwatch } from '../rounds.mjs';

const AT_ONCE = 16;
/** The same for all, as limits.mjs has it. Our default, twice the concurrency, hands over in smaller portions: docs/performance.md. */
const PREFETCH = 500;
const TABLES = `
  create table $s.by_hand (consumer text, id text, at timestamptz default now(), primary key (consumer, id));
  create table $s.effect (id text primary key, coins int)`;

export async function consumeRow({ postgres, rabbitmq, quick }) {
  const place = { topic: GiftSent.topic, group: 'ranking' };
  const database = await openSchema(postgres, { poolSize: AT_ONCE, tables: TABLES });
  const broker = await openPrefix(rabbitmq, place);
  const publisher = broker.transport();
  const effect = `insert into ${database.schema}.effect values ($1, $2)`;
  try {
    await broker.declare();
    await publisher.connect();
    const factory = new MessageFactory('bench', systemClock);
    /** The same queue and the same bytes for all. */
    const fill = async (count) => {
      await broker.channel.purgeQueue(broker.queue);
      const messages = await Promise.all(Array.from({ length: count }, (_, n) => factory.create(GiftSent, gift(n))));
      for (let i = 0; i < count; i += 500)
        await publisher.publish(messages.slice(i, i + 500).map((message) => ({ message })));
    };

    const ours = (storeOf, handle) => async (count) => {
      await fill(count);
      const watch = stopwatch(count);
      const settled = async (_context, next) => {
        watch.begun();
        const settlement = await next();
        if (settlement.kind !== 'accept') throw settlement.error ?? new Error(settlement.reason);
        watch.ended();
        return settlement;
      };
      const app = await startApplication({
        messaging: {
          stores: { default: storeOf() },
          transports: { main: broker.transport({ prefetch: PREFETCH }) },
          roles: ['handle'],
          middleware: [settled],
        },
        handle,
        handlerOptions: { group: place.group, concurrency: AT_ONCE },
      });
      const figures = await watch.figures;
      await app.close();
      return figures;
    };

    const byHand = async (count) => {
      await fill(count);
      const watch = stopwatch(count);
      const channel = await broker.connection.createChannel();
      await channel.prefetch(PREFETCH);
      const waiting = [];
      const idle = [];
      let over = false;
      const consumer = async () => {
        const client = await database.pool.connect();
        while (!over) {
          const message = waiting.shift();
          if (!message) {
            await new Promise((resolve) => idle.push(resolve));
            continue;
          }
          const { messageId } = message.properties;
          const { coins } = JSON.parse(message.content.toString());
          await client.query('begin');
          const filed = await client.query(
            `insert into ${database.schema}.by_hand (consumer, id) values ($1, $2) on conflict do nothing`,
            ['ranking', messageId],
          );
          if (filed.rowCount) await client.query(effect, [messageId, coins]);
          await client.query('commit');
          channel.ack(message);
          watch.ended();
        }
        client.release();
      };
      const consumers = Array.from({ length: AT_ONCE }, consumer);
      await channel.consume(broker.queue, (message) => {
        watch.begun();
        waiting.push(message);
        idle.shift()?.();
      });
      const figures = await watch.figures;
      over = true;
      for (const wake of idle.splice(0)) wake();
      await Promise.all(consumers);
      await channel.close();
      return figures;
    };

    return await interleave({
      row: 'consume one by one, 16 at once',
      target: 0.9,
      rounds: quick ? 3 : 7,
      messages: quick ? 1_500 : 4_000,
      contenders: {
        'inbox, store pg': ours(database.pgStore, ({ coins }, context) =>
          clientOf(context).query(effect, [context.message.id, coins]),
        ),
        'hand-written loop': byHand,
        'inbox, store TypeORM': ours(
          () => database.store,
          ({ coins }, context) => managerOf(context).query(effect, [context.message.id, coins]),
        ),
      },
    });
  } finally {
    await publisher.close();
    await broker.close();
    await database.close();
  }
}
