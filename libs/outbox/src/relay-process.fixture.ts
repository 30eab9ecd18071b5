import { silentLogger, systemClock, type Transport } from '@tidings/core';
import { pg } from '@tidings/database';
import { logOf } from '@tidings/postgres-log';
import { rabbitmq } from '@tidings/rabbitmq';
import { Pool } from 'pg';
import { OutboxRelay } from './outbox-relay';

/** What the spec tells the process, and what the process tells back. */
export interface RelayOrders {
  readonly url: string;
  readonly schema: string;
  readonly rabbit: string;
  readonly prefix: string;
  readonly leaseMs: number;
  /** In the batch that reaches this many messages: publish half of it, tell `half`, and go on after `hangMs` only (default: never). */
  readonly hangAfter?: number;
  readonly hangMs?: number;
}
export type RelayReport =
  | { readonly event: 'ready' }
  | { readonly event: 'half'; readonly published: number }
  | { readonly event: 'lost'; readonly epoch: number };

const tell = (report: RelayReport): boolean => process.send!(report);

/** A relay as a process of its own, that can be made to hang in mid-batch. */
async function run({ url, schema, rabbit, prefix, leaseMs, hangAfter = Infinity, hangMs }: RelayOrders): Promise<void> {
  const store = pg(new Pool({ connectionString: url, max: 2 }), { schema });
  await store.connect();
  const transport: Transport = rabbitmq({ urls: rabbit, prefix });
  await transport.connect();
  const publish = transport.publish.bind(transport);
  let published = 0;
  transport.publish = async (messages) => {
    if (published + messages.length < hangAfter) {
      const results = await publish(messages);
      published += messages.length;
      return results;
    }
    const middle = Math.ceil(messages.length / 2);
    const before = await publish(messages.slice(0, middle));
    tell({ event: 'half', published: published + middle });
    if (hangMs === undefined) return new Promise(() => undefined);
    hangAfter = Infinity;
    await systemClock.wait(hangMs);
    return [...before, ...(await publish(messages.slice(middle)))];
  };
  const relay = new OutboxRelay({
    log: logOf(store, systemClock, silentLogger),
    transports: { main: transport },
    deadLetters: { bury: () => Promise.reject(new Error('nothing is buried here')) },
    instance: String(process.pid),
    clock: systemClock,
    logger: {
      ...silentLogger,
      warn: (fields) => 'epoch' in fields && tell({ event: 'lost', epoch: Number(fields.epoch) }),
    },
    options: { leaseMs, batch: 40, pollMs: 1_000 },
  });
  await relay.start();
  tell({ event: 'ready' });
}

process.once('message', (orders: RelayOrders) => {
  run(orders).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
