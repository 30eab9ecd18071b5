import { randomBytes } from 'node:crypto';
import { quoted, silentLogger, systemClock, TidingsError } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { kafka } from '@tidings/kafka';
import { messagingMigrations } from '@tidings/messaging';
import { Client, Pool } from 'pg';
import { AppProcess } from './app-process';
import { GROUP } from './collect-windows.handler';
import { groupLag } from './group-lag';
import type { LogsOptions } from './logs.options';
import type { ProcessOrders } from './process';
import { readWindows } from './sql/read-windows';
import { UserActed } from './user-acted';
import type { WindowCount } from './window-counts';

export interface CollectionReport {
  readonly sent: readonly WindowCount[];
  readonly counted: readonly WindowCount[];
  /** Collectors that were killed on the way. */
  readonly killed: number;
  /** False: not all of it was read within the time. */
  readonly settled: boolean;
}

export interface CollectionServers {
  readonly postgresUrl: string;
  readonly kafkaUrl: string;
}

const SETTLE_MS = 90_000;
const LOOK_MS = 200;
const TABLE = 'create table window_count (begin_ms bigint, action text, events bigint not null, primary key (begin_ms, action))'; // prettier-ignore

/** One site, two collectors, one of which is killed when a part is counted. Leaves nothing behind. */
export class CollectionRun {
  readonly #name = `logs_${randomBytes(4).toString('hex')}`;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(
    private readonly options: LogsOptions,
    private readonly servers: CollectionServers,
    private readonly print: (line: string) => void,
  ) {}

  async run(): Promise<CollectionReport> {
    try {
      return await this.#run();
    } finally {
      for (const undo of this.#undo.splice(0).reverse())
        await undo().catch((thrown: unknown) => this.print(`could not be undone: ${String(thrown)}`));
    }
  }

  async #run(): Promise<CollectionReport> {
    const { count, seed, kill } = this.options;
    const { kafkaUrl: brokerUrl } = this.servers;
    const databaseUrl = await this.#database();
    const pool = new Pool({ connectionString: databaseUrl, max: 2 });
    this.#undo.push(() => pool.end());
    const prefix = this.#name;
    this.#undo.push(() => this.#removeTopics());
    const start = (role: ProcessOrders['role'], name: string): AppProcess => {
      const started = new AppProcess({ role, name, databaseUrl, brokerUrl, prefix, count, seed });
      this.#undo.push(() => started.end());
      return started;
    };
    const collectors = [start('collector', 'collector-0'), start('collector', 'collector-1')];
    await Promise.all(collectors.map(({ ready }) => ready));
    const { sent: sending } = start('site', 'site');
    let killed = 0;
    if (kill && (await this.#until(async () => eventsOf(await readWindows(pool)) >= count / 4))) {
      await collectors[0]!.kill();
      killed = 1;
      this.print('collector-0 was killed; another one takes its place');
      await start('collector', 'collector-2').ready;
    }
    const sent = await sending;
    // All offsets committed: every copy that there was has been read.
    const topic = `${prefix}.${UserActed.topic}`;
    const settled = await this.#until(async () => (await groupLag(brokerUrl, topic, `${topic}--to--${GROUP}`)) === 0);
    return { sent, counted: await readWindows(pool), killed, settled };
  }

  async #until(condition: () => Promise<boolean>): Promise<boolean> {
    const untilMs = systemClock.monotonic() + SETTLE_MS;
    while (!(await condition())) {
      if (systemClock.monotonic() > untilMs) return false;
      await systemClock.wait(LOOK_MS);
    }
    return true;
  }

  async #database(): Promise<string> {
    const { postgresUrl } = this.servers;
    await onServer(postgresUrl, `create database ${quoted(this.#name)}`);
    this.#undo.push(() => onServer(postgresUrl, `drop database ${quoted(this.#name)} with (force)`));
    const url = new URL(postgresUrl);
    url.pathname = `/${this.#name}`;
    const pool = new Pool({ connectionString: url.href, max: 2 });
    const store = pg(pool, { connections: 1, logger: silentLogger });
    try {
      await migrate(store, messagingMigrations);
      await pool.query(TABLE);
    } finally {
      await store.close();
      await pool.end();
    }
    return url.href;
  }

  async #removeTopics(): Promise<void> {
    const transport = kafka({ urls: this.servers.kafkaUrl, prefix: this.#name });
    await transport.removeTopic(UserActed.topic, [GROUP]);
    await transport.close();
  }
}

const eventsOf = (counts: readonly WindowCount[]): number => counts.reduce((sum, { events }) => sum + events, 0);

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect().catch((error: Error) => {
    throw new TidingsError('LOGS_NO_SERVER', `expected a PostgreSQL, found none: ${error.message}`);
  });
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
