import { silentLogger, systemClock } from '@tidings/core';
import { pg } from '@tidings/database';
import { Pool } from 'pg';
import { logOf } from './log-of';
import { LogReader } from './log-reader';
import { logReaderOptions } from './log-reader.options';

export interface BacklogOrders {
  readonly url: string;
  readonly schema: string;
  readonly name: string;
  readonly destination: number;
  readonly count: number;
}

export interface BacklogReport {
  readonly read: number;
  /** Messages of a lane whose sequence did not follow its predecessor's. */
  readonly gaps: number;
  /** Median milliseconds of a batch, read and cursor moved, over the first and the last quarter. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly rssMb: number;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Drains a backlog in a process of its own, so that its memory is the reader's and not the test runner's. */
async function drain({ url, schema, name, destination, count }: BacklogOrders): Promise<BacklogReport> {
  const pool = new Pool({ connectionString: url, max: 2 });
  const store = pg(pool, { schema });
  const log = logOf(store, systemClock, silentLogger);
  const sequences = new Map<string, number>();
  const batches: number[] = [];
  let [read, gaps, at] = [0, 0, systemClock.monotonic()];
  let finished = (): void => undefined;
  const all = new Promise<void>((resolve) => (finished = resolve));
  const reader = new LogReader({
    log,
    name,
    options: logReaderOptions.parse({ batch: 500 }),
    clock: systemClock,
    logger: silentLogger,
    deliver: ({ messages }) => {
      const now = systemClock.monotonic();
      if (messages.length === 500) batches.push(now - at);
      at = now;
      for (const { message, stamp } of messages) {
        if (stamp.sequence !== (sequences.get(message.key!) ?? 0) + 1) gaps += 1;
        sequences.set(message.key!, stamp.sequence);
      }
      read += messages.length;
      if (read >= count) finished();
      return Promise.resolve(messages.length);
    },
  });
  reader.add(await log.reader(name, destination, 'earliest'), destination);
  await reader.start();
  await all;
  const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20);
  await reader.stop();
  await store.close();
  await pool.end();
  const quarter = batches.length >> 2;
  return { read, gaps, firstMs: median(batches.slice(0, quarter)), lastMs: median(batches.slice(-quarter)), rssMb };
}

process.once('message', (orders: BacklogOrders) => {
  drain(orders).then(
    (report) => process.send!(report, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
