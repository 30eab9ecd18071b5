// Transactions at a rate, each with a business row and a message. Its own process when forked: `fork('sender.mjs', [JSON of options])`.
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { startApplication } from './application.mjs';
import { gift, GiftSent } from './gift.mjs';
import { openPrefix } from './own-prefix.mjs';
import { openSchema } from './own-schema.mjs';
import { postgres } from '@tidings/postgres';

/** A clock that processes of one machine share. */
export const now = () => performance.timeOrigin + performance.now();

/** Calls `send(n)` so often a second, whatever those before it do; what came too late is sent at once, so that the rate holds. */
export async function paced(count, rate, send) {
  const everyMs = 1_000 / rate;
  const from = performance.now();
  const sent = [];
  for (let n = 0; n < count;) {
    const due = Math.min(count, Math.floor((performance.now() - from) / everyMs) + 1);
    for (; n < due; n++) sent.push(send(n));
    if (n < count)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, from + n * everyMs - performance.now())));
  }
  return Promise.all(sent);
}

/** Resolves with `[message id, when its commit had returned]` for each message. */
export function sendGifts({ dataSource, schema }, outbox, { count, rate }) {
  return paced(count, rate, async (n) => {
    const { id } = await dataSource.transaction(async (manager) => {
      await manager.query(`insert into ${schema}.gift (id, coins) values ($1, $2)`, [randomUUID(), 100]);
      return outbox.within(manager).publish(GiftSent, gift(n));
    });
    return [id, now()];
  });
}

export const transportsOf = (kind, database, broker) =>
  kind === 'postgres' ? { main: postgres({ store: database.store }) } : { main: broker.transport() };

async function sendFromHere({ databaseUrl, place, schema, prefix, kind, ...pace }) {
  const database = await openSchema(databaseUrl, { schema });
  const broker = kind === 'postgres' ? undefined : openPrefix(place, { topic: GiftSent.topic }, prefix);
  const app = await startApplication({
    messaging: {
      stores: { default: database.store },
      transports: transportsOf(kind, database, broker),
      roles: ['publish'],
    },
  });
  process.send(await sendGifts(database, app.outbox, pace));
  await app.close();
  await database.close();
  process.disconnect();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await sendFromHere(JSON.parse(process.argv[2]));
