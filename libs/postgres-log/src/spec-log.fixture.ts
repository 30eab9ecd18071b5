import { randomUUID } from 'node:crypto';
import { type Message, silentLogger, type Store, systemClock } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { Pool } from 'pg';
import type { LogEntry } from './log-entry';
import type { Deliver, LaneBatch, LoggedMessage } from './lane-batch';
import { LogReader } from './log-reader';
import { logReaderOptions, type LogReaderOptions } from './log-reader.options';
import { logOf } from './log-of';
import type { MessageLog } from './message-log';
import { postgresLogMigrations } from './migrations';

/** A log in a schema of its own, and the means to write to it and read it. */
export class SpecLog {
  readonly #opened: { readonly store: Store; readonly pool: Pool }[] = [];
  readonly #readers: LogReader[] = [];

  private constructor(
    private readonly url: string,
    readonly schema: string,
  ) {}

  static async open(url: string): Promise<SpecLog> {
    const spec = new SpecLog(url, `spec_log_${randomUUID().slice(0, 8)}`);
    await migrate(spec.log().store, postgresLogMigrations);
    return spec;
  }

  /** A log with connections of its own: as another process has it. */
  log(): MessageLog {
    const pool = new Pool({ connectionString: this.url, max: 12 });
    pool.on('error', () => undefined); // a spec that stops the server
    const store = pg(pool, { schema: this.schema });
    this.#opened.push({ store, pool });
    return logOf(store, systemClock, silentLogger);
  }

  get pool(): Pool {
    return this.#opened[0]!.pool;
  }

  async reader(
    log: MessageLog,
    destination: number,
    deliver: Deliver,
    options: LogReaderOptions & { readonly name?: string; readonly from?: 'now' | 'earliest' } = {},
  ): Promise<LogReader> {
    const { name = 'g', from = 'earliest', ...rest } = options;
    const reader = new LogReader({
      log,
      name,
      options: logReaderOptions.parse({ leaseMs: 1_000, pollMs: 500, backoffMs: 10, maxBackoffMs: 50, ...rest }),
      deliver,
      clock: systemClock,
      logger: silentLogger,
    });
    reader.add(await log.reader(name, destination, from), destination);
    await reader.start();
    this.#readers.push(reader);
    return reader;
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    await this.pool.query(`drop schema ${this.schema} cascade`);
    for (const { store, pool } of this.#opened) {
      await store.close();
      await pool.end();
    }
  }
}

export const entryOf = (message: Message, destination: number, over: Partial<LogEntry> = {}): LogEntry => ({
  message,
  destination,
  fresh: true,
  attempts: 0,
  optional: false,
  delayMs: 0,
  ...over,
});

/** Takes everything, and remembers it. */
export class Taken {
  readonly messages: LoggedMessage[] = [];
  readonly batches: number[] = [];

  readonly deliver = (batch: LaneBatch): Promise<number> => {
    this.messages.push(...batch.messages);
    this.batches.push(batch.messages.length);
    return Promise.resolve(batch.messages.length);
  };

  get ids(): string[] {
    return this.messages.map(({ message }) => message.id);
  }
}
