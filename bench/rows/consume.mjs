// Consuming one by one, effectively once: inbox row and one effect row in a transaction each, 16 at once, against limits.mjs D.
// In batches and coalesced: consume-together.mjs.
import { clientOf, managerOf } from '@tidings/database';
import { AT_ONCE, withGround } from '../consuming-ground.mjs';
import { interleave, stopwatch } from '../rounds.mjs';

/** The same for all, as limits.mjs has it. Our default, twice the concurrency, hands over in smaller portions: docs/performance.md. */
const PREFETCH = 500;

export const consumeRow = ({ quick, ...servers }) =>
  withGround(servers, ({ database, broker, fill, ours }) => {
    const effect = `insert into ${database.schema}.effect values ($1, $2)`;
    const shape = { handlerOptions: { concurrency: AT_ONCE }, prefetch: PREFETCH };
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

    return interleave({
      row: 'consume one by one, 16 at once',
      target: 0.9,
      rounds: quick ? 3 : 7,
      messages: quick ? 1_500 : 4_000,
      contenders: {
        'inbox, store pg': ours({
          ...shape,
          handle: ({ coins }, context) => clientOf(context).query(effect, [context.message.id, coins]),
        }),
        'hand-written loop': byHand,
        'inbox, store TypeORM': ours({
          ...shape,
          storeOf: () => database.store,
          handle: ({ coins }, context) => managerOf(context).query(effect, [context.message.id, coins]),
        }),
      },
    });
  });
