// The ground on which consuming is measured: a database and a queue of the row's own, and our consumer on them.
import { MessageFactory, systemClock } from '@tidings/core';
import { startApplication } from './application.mjs';
import { gift, GiftSent } from './gift.mjs';
import { openPrefix } from './own-prefix.mjs';
import { openSchema } from './own-schema.mjs';
import { stopwatch } from './rounds.mjs';

export const AT_ONCE = 16;
const TABLES = `
  create table $s.by_hand (consumer text, id text, at timestamptz default now(), primary key (consumer, id));
  create table $s.effect (id text primary key, coins int)`;
const place = { topic: GiftSent.topic, group: 'ranking' };

/** `work` gets the database, the broker's names, what fills the queue (the same bytes for all), and what runs our consumer. */
export async function withGround({ postgres, broker: at }, work) {
  const database = await openSchema(postgres, { poolSize: AT_ONCE, tables: TABLES });
  const broker = openPrefix(at, place);
  const plain = await broker.plain();
  const publisher = broker.transport();
  try {
    await broker.declare();
    await publisher.connect();
    const factory = new MessageFactory('bench', systemClock);
    const fill = async (count) => {
      await plain.clear(broker.queue);
      const messages = await Promise.all(Array.from({ length: count }, (_, n) => factory.create(GiftSent, gift(n))));
      for (let i = 0; i < count; i += 500)
        await publisher.publish(messages.slice(i, i + 500).map((message) => ({ message })));
    };
    const ours =
      ({ handle, handlerOptions, decorate, storeOf = database.pgStore, prefetch }) =>
      async (count) => {
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
            transports: { main: broker.transport(prefetch === undefined ? {} : { prefetch }) },
            roles: ['handle'],
            middleware: [settled],
          },
          handle,
          handlerOptions: { group: place.group, ...handlerOptions },
          decorate,
        });
        const figures = await watch.figures;
        await app.close();
        return figures;
      };
    return await work({ database, broker, plain, fill, ours });
  } finally {
    await publisher.close();
    await plain.close();
    await broker.close();
    await database.close();
  }
}
