import { MessageFactory, silentLogger, systemClock } from '@tidings/core';
import { pg, withTransaction } from '@tidings/database';
import { memory } from '@tidings/memory';
import { logOf } from '@tidings/postgres-log';
import { Pool } from 'pg';
import { Outbox } from './outbox';
import { GiftSent } from './spec-outbox.fixture';

/** Where the process stops and waits for its end. */
export type PrepareStep = 'prepared' | 'operated' | 'committing' | 'committed';
export interface PrepareOrders {
  readonly url: string;
  readonly schema: string;
  readonly hangAt: PrepareStep;
}

/** Writes the message, operates (a row of its own transaction, which stands for a payment elsewhere), decides; and hangs where it is told. */
async function run({ url, schema, hangAt }: PrepareOrders): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 2 });
  const store = pg(pool, { schema });
  await store.connect();
  const main = memory();
  const outbox = new Outbox({
    log: logOf(store, systemClock, silentLogger),
    factory: new MessageFactory('gift-api', systemClock),
    transports: { main },
    routes: () => [{ transport: 'main' }],
  });
  const reach = async (step: PrepareStep): Promise<void> => {
    if (step !== hangAt) return;
    process.send!(step);
    await new Promise(() => undefined);
  };
  const id = `at-${hangAt}`;
  const prepared = await outbox.prepare(GiftSent, { giftId: id, roomId: 'r', n: 1 }, { id });
  await reach('prepared');
  await pool.query(`insert into ${schema}.gift values ($1)`, [id]);
  await reach('operated');
  await withTransaction(pool, async (client) => {
    await prepared.commit(client);
    await reach('committing');
  });
  await reach('committed');
}

process.once('message', (orders: PrepareOrders) => void run(orders));
