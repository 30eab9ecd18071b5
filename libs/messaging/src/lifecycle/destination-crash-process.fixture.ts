import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { confirmed, failed, type Message, type PublishResult, quoted, silentLogger } from '@tidings/core';
import { pg } from '@tidings/database';
import { memory } from '@tidings/memory';
import { Pool } from 'pg';
import { MessagingModule } from '../messaging.module';
import { die, doomedBy, mortal, obey } from '../doomed-process.fixture';

export interface RelayOrders {
  readonly url: string;
  /** Has the tables `sent`, `run` and `mended`. */
  readonly schema: string;
}

/** A broker that refuses what is to fail until it is mended, does not take it for now once more, and keeps in `sent` what it took, in order. */
function brokerOf(pool: Pool, schema: string): (message: Message) => Promise<PublishResult> {
  const s = quoted(schema);
  return async (message) => {
    const { room, n, fails } = JSON.parse(Buffer.from(message.payload).toString('utf8')) as { room: string; n: number; fails: number }; // prettier-ignore
    if (fails > 0) {
      const { rowCount } = await pool.query(`select from ${s}.mended where n > $1`, [n]);
      if (rowCount === 0) return failed('refused', new Error('as asked'));
      const { rows } = await pool.query<{ runs: number }>(
        `insert into ${s}.run values ($1, $2, 1) on conflict (room, n) do update set runs = run.runs + 1 returning runs`,
        [room, n],
      );
      if (rows[0]!.runs <= fails) return failed('transient', new Error('not now'));
    }
    await pool.query(`insert into ${s}.sent (room, n) values ($1, $2)`, [room, n]);
    return confirmed;
  };
}

async function run({ url, schema }: RelayOrders): Promise<void> {
  const records = new Pool({ connectionString: url, max: 2 });
  const main = memory();
  const take = brokerOf(records, schema);
  main.publish = async (messages) => {
    if (doomedBy('publish') === 'unsent') return die();
    const results: PublishResult[] = [];
    for (const { message } of messages) results.push(await take(message));
    return doomedBy('publish') === 'unheard' ? die() : results;
  };
  const pool = new Pool({ connectionString: url, max: 4 });
  const options = {
    source: 'relay',
    stores: { default: mortal(pg(pool, { schema, connections: 4 })) },
    transports: { main },
    roles: ['relay' as const],
    parking: { leaseMs: 1_000 },
    relay: { leaseMs: 1_000, pollMs: 200 },
    logger: silentLogger,
  };
  const module = { module: class RelayModule {}, imports: [MessagingModule.forRoot(options)] };
  await NestFactory.createApplicationContext(module, { logger: false });
}

obey(module, run);
