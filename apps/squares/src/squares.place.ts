import { BROKERS, type BrokerName } from '@tidings/brokers';
import { silentLogger, type TidingsLogger, type Transport } from '@tidings/core';
import { pg } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { postgres } from '@tidings/postgres';
import { Pool } from 'pg';

/** Where one run's messages go; said to other processes as it is. */
export type SquaresPlace =
  | { readonly kind: 'memory' }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string }
  | { readonly kind: BrokerName; readonly url: string; readonly prefix: string };

export interface OpenPlace {
  readonly transport: Transport;
  /** After the transport was closed. */
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;
const nothing = (): Promise<void> => Promise.resolve();

/** All that one process has of brokers in memory: whoever else is in it shares this one. */
const broker = new MemoryBroker();

export async function openPlace(place: SquaresPlace, logger: TidingsLogger = silentLogger): Promise<OpenPlace> {
  if (place.kind === 'memory') return { transport: memory({ broker }), close: nothing };
  if (place.kind !== 'postgres') {
    const { kind, url, prefix } = place;
    return { transport: await BROKERS[kind].open({ url, prefix, logger }), close: nothing };
  }
  const pool = new Pool({
    connectionString: place.url,
    max: 2,
    application_name: 'squares',
    connectionTimeoutMillis: CONNECT_MS,
  });
  pool.on('error', (error) => logger.warn({ err: error }, 'a connection of the pool was lost'));
  const store = pg(pool, { schema: place.schema, logger });
  return {
    transport: postgres({ store, logger }),
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}
