import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { failed, type OutgoingMessage, type PublishResult, quoted, silentLogger, type Transport } from '@tidings/core';
import { pg } from '@tidings/database';
import { Pool } from 'pg';
import { die, doomedBy, mortal, obey } from '../doomed-process.fixture';
import { MessagingModule } from '../messaging.module';
import { type ProcessPlace, transportOf } from '../process-transport.fixture';

export interface RelayOrders {
  readonly url: string;
  /** Has the tables `run` and `mended`. */
  readonly schema: string;
  readonly destination: ProcessPlace;
}

/** Refuses what is to fail until it is mended, and does not take it for now once more; the transport has all else. */
function verdictOf(pool: Pool, schema: string): (outgoing: OutgoingMessage) => Promise<PublishResult | undefined> {
  const s = quoted(schema);
  return async ({ message }) => {
    const { room, n, fails } = JSON.parse(Buffer.from(message.payload).toString('utf8')) as { room: string; n: number; fails: number }; // prettier-ignore
    if (fails === 0) return undefined;
    const { rowCount } = await pool.query(`select from ${s}.mended where n > $1`, [n]);
    if (rowCount === 0) return failed('refused', new Error('as asked'));
    const { rows } = await pool.query<{ runs: number }>(
      `insert into ${s}.run values ($1, $2, 1) on conflict (room, n) do update set runs = run.runs + 1 returning runs`,
      [room, n],
    );
    return rows[0]!.runs <= fails ? failed('transient', new Error('not now')) : undefined;
  };
}

/** The process may be doomed when it publishes. */
function choosy(transport: Transport, verdict: ReturnType<typeof verdictOf>): Transport {
  const publish = transport.publish.bind(transport);
  transport.publish = async (messages) => {
    if (doomedBy('publish') === 'unsent') return die();
    const results: PublishResult[] = [];
    for (const outgoing of messages) results.push((await verdict(outgoing)) ?? (await publish([outgoing]))[0]!);
    return doomedBy('publish') === 'unheard' ? die() : results;
  };
  return transport;
}

async function run({ url, schema, destination }: RelayOrders): Promise<void> {
  const [records, elsewhere, pool] = [2, 4, 4].map((max) => new Pool({ connectionString: url, max })) as [Pool, Pool, Pool]; // prettier-ignore
  const transport = transportOf(destination, pg(elsewhere, { schema: destination.schema, connections: 2 }));
  const options = {
    source: 'relay',
    stores: { default: mortal(pg(pool, { schema, connections: 4 })) },
    transports: { main: choosy(transport, verdictOf(records, schema)) },
    roles: ['relay' as const],
    parking: { leaseMs: 1_000 },
    relay: { leaseMs: 1_000, pollMs: 200 },
    logger: silentLogger,
  };
  const module = { module: class RelayModule {}, imports: [MessagingModule.forRoot(options)] };
  await NestFactory.createApplicationContext(module, { logger: false });
}

obey(module, run);
