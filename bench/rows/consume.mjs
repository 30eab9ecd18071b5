// Consuming one by one, effectively once: inbox row and one effect row in a transaction each, 16 at once, against limits.mjs D.
// In batches and coalesced: consume-together.mjs.
import { clientOf, managerOf } from '@tidings/database';
import { AT_ONCE, withGround } from '../consuming-ground.mjs';
import { gift } from '../gift.mjs';
import { BROKERS } from '../own-prefix.mjs';
import { interleave, stopwatch } from '../rounds.mjs';

/** The same for all, as limits.mjs has it. Our default, twice the concurrency, hands over in smaller portions: docs/performance.md. */
const PREFETCH = 500;

/** What our queue has can be read by hand at RabbitMQ only; elsewhere the loop's own queue has the payload alone. */
const BODY = Buffer.from(JSON.stringify(gift(1)));

export const consumeRow = ({ quick, ...servers }) =>
  withGround(servers, ({ database, broker, plain, fill, ours }) => {
    const effect = `insert into ${database.schema}.effect values ($1, $2)`;
    // On Redis how much is read ahead is not for users to say.
    const shape = { handlerOptions: { concurrency: AT_ONCE }, ...(broker.kind !== 'redis' && { prefetch: PREFETCH }) };
    const byHand = async (count) => {
      if (broker.kind === 'rabbitmq') await fill(count);
      else await plain.flood(count, BODY);
      const watch = stopwatch(count);
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
          const { id, body, ack } = message;
          const { coins } = JSON.parse(body.toString());
          await client.query('begin');
          const filed = await client.query(
            `insert into ${database.schema}.by_hand (consumer, id) values ($1, $2) on conflict do nothing`,
            ['ranking', id],
          );
          if (filed.rowCount) await client.query(effect, [id, coins]);
          await client.query('commit');
          ack();
          watch.ended();
        }
        client.release();
      };
      const consumers = Array.from({ length: AT_ONCE }, consumer);
      const take = (id, body, ack) => {
        watch.begun();
        waiting.push({ id, body, ack });
        idle.shift()?.();
      };
      const stop = await plain.consume(take, { ahead: PREFETCH, queue: broker.queue });
      const figures = await watch.figures;
      over = true;
      for (const wake of idle.splice(0)) wake();
      await Promise.all(consumers);
      await stop();
      await plain.clear();
      return figures;
    };

    return interleave({
      row: `consume one by one from ${BROKERS[broker.kind]}, 16 at once`,
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
