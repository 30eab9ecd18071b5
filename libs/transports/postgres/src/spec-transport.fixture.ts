import { pg } from '@tidings/database';
import { Pool } from 'pg';
import { postgres, type PostgresTransport } from './postgres.transport';

/** A transport with connections of its own, quick to notice death: for specs, in this process or in another. Closing it closes them. */
export function specTransport({ url, schema }: { readonly url: string; readonly schema: string }): PostgresTransport {
  const pool = new Pool({ connectionString: url, max: 2, application_name: `spec ${schema}` });
  pool.on('error', () => undefined); // `cut` ends idle connections; the pool makes new ones
  const store = pg(pool, { schema });
  const transport = postgres({ store, leaseMs: 900, pollMs: 500, maxBackoffMs: 200 });
  const close = transport.close.bind(transport);
  let closed: Promise<void> | undefined;
  transport.close = () =>
    (closed ??= close()
      .then(() => store.close())
      .then(() => pool.end()));
  return transport;
}
