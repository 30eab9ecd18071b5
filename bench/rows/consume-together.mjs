// Consuming together, effectively once. In batches of 200 (@OnMessages), against a hand-written loop that takes as many: one insert of inbox rows, one of
// effects, a commit. Coalesced (32 single messages in a transaction, a savepoint each), against our own one by one.
import { setImmediate } from 'node:timers/promises';
import { clientOf } from '@tidings/database';
import { OnMessages } from '@tidings/messaging';
import { AT_ONCE, withGround } from '../consuming-ground.mjs';
import { interleave, stopwatch } from '../rounds.mjs';

const SIZE = 200;
export const batchesRow = (servers) =>
  withGround(servers, ({ database, broker, plain, fill, ours }) => {
    const { schema } = database;
    const effects = `insert into ${schema}.effect select * from unnest($1::text[], $2::int[])`;
    const byHand = async (count) => {
      await fill(count);
      const watch = stopwatch(count);
      const channel = await plain.connection.createChannel();
      await channel.prefetch(2 * SIZE);
      const client = await database.pool.connect();
      const waiting = [];
      let running;
      const drain = async () => {
        while (waiting.length > 0) {
          const batch = waiting.splice(0, SIZE);
          const ids = batch.map(({ properties }) => properties.messageId);
          await client.query('begin');
          const { rows } = await client.query(
            `insert into ${schema}.by_hand (consumer, id) select 'ranking', unnest($1::text[]) on conflict do nothing returning id`,
            [ids],
          );
          const fresh = new Set(rows.map(({ id }) => id));
          const items = batch.filter(({ properties }) => fresh.has(properties.messageId));
          await client.query(effects, [
            items.map(({ properties }) => properties.messageId),
            items.map(({ content }) => JSON.parse(content.toString()).coins),
          ]);
          await client.query('commit');
          channel.ack(batch.at(-1), true);
          watch.ended(batch.length);
        }
        running = undefined;
      };
      await channel.consume(broker.queue, (message) => {
        watch.begun();
        waiting.push(message);
        running ??= setImmediate().then(drain);
      });
      const figures = await watch.figures;
      await running;
      client.release();
      await channel.close();
      return figures;
    };
    const handle = (items, context) =>
      clientOf(context).query(effects, [items.map(({ id }) => id), items.map(({ payload }) => payload.coins)]);
    return interleave({
      row: `consume in batches of ${SIZE}`,
      target: 0.7,
      rounds: servers.quick ? 3 : 7,
      messages: servers.quick ? 4_000 : 20_000,
      contenders: {
        '@OnMessages, store pg': ours({ handle, handlerOptions: { batch: { size: SIZE } }, decorate: OnMessages }),
        'hand-written loop': byHand,
      },
    });
  });

export const coalescedRow = (servers) =>
  withGround(servers, ({ database, ours }) => {
    const effect = `insert into ${database.schema}.effect values ($1, $2)`;
    const handle = ({ coins }, context) => clientOf(context).query(effect, [context.message.id, coins]);
    return interleave({
      row: 'consume coalesced, 32 a transaction',
      target: 3,
      rounds: servers.quick ? 3 : 7,
      messages: servers.quick ? 1_500 : 4_000,
      contenders: {
        'coalesced, 2 transactions at once': ours({
          handle,
          handlerOptions: { coalesce: { size: 32 }, concurrency: 2 },
        }),
        'one by one, 16 at once': ours({ handle, handlerOptions: { concurrency: AT_ONCE } }),
        'one by one, 1 at once': ours({ handle, handlerOptions: { concurrency: 1 } }),
      },
    });
  });
