import { quoted, silentLogger } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { messagingMigrations } from '@tidings/messaging';
import { Client, Pool } from 'pg';
import type { Effect } from './evidence';

/** By which backends of the run are told from everybody else's. */
export const APPLICATION_NAME = 'chaos';

const TABLES = `
  create schema chaos;
  create table chaos.key (name text primary key, counter bigint not null default 0);
  create table chaos.business (message text primary key, key text not null, counter bigint not null);
  -- No unique key on the message: a second effect must show.
  create table chaos.effect (
    id bigint generated always as identity primary key,
    group_name text not null, message text not null, key text not null, counter bigint not null
  );
  create index on chaos.effect (group_name, message);
`;

/** A database of one run's own, on the server itself: no fault of the run reaches these connections. */
export class RunDatabase {
  readonly #pool: Pool;

  private constructor(
    private readonly serverUrl: string,
    private readonly name: string,
    /** For the run's processes, by way of a proxy. */
    readonly url: string,
  ) {
    this.#pool = new Pool({ connectionString: url, max: 2, application_name: 'supervisor' });
    this.#pool.on('error', () => undefined);
  }

  static async create(serverUrl: string, name: string, keys: readonly string[]): Promise<RunDatabase> {
    await onServer(serverUrl, `create database ${quoted(name)}`);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    const database = new RunDatabase(serverUrl, name, url.href);
    try {
      const store = pg(database.#pool, { connections: 1, logger: silentLogger });
      await migrate(store, messagingMigrations);
      await store.close();
      await database.#pool.query(TABLES);
      await database.#pool.query('insert into chaos.key (name) select unnest($1::text[])', [keys]);
    } catch (thrown) {
      await database.drop();
      throw thrown;
    }
    return database;
  }

  /** Ends the run's backend at this share of their list; its process id, or undefined when there was none. */
  async terminateBackend(at: number): Promise<number | undefined> {
    const { rows } = await this.#pool.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where datname = current_database() and application_name like $1 order by backend_start, pid`,
      [`${APPLICATION_NAME}%`],
    );
    const pid = rows[Math.floor(at * rows.length)]?.pid;
    if (pid !== undefined) await this.#pool.query('select pg_terminate_backend($1)', [pid]);
    return pid;
  }

  /** Messages that committed, and those that have an effect, summed over the groups. */
  async progress(): Promise<{ readonly stored: number; readonly applied: number }> {
    const { rows } = await this.#pool.query<{ stored: number; applied: number }>(
      `select (select count(*)::int from chaos.business) as stored,
              count(distinct (group_name, message))::int as applied
       from chaos.effect`,
    );
    return rows[0]!;
  }

  async stored(): Promise<ReadonlySet<string>> {
    const { rows } = await this.#pool.query<{ message: string }>('select message from chaos.business');
    return new Set(rows.map(({ message }) => message));
  }

  async effects(): Promise<Effect[]> {
    const { rows } = await this.#pool.query<{
      id: string;
      group: string;
      message: string;
      key: string;
      counter: string;
    }>('select id, group_name as "group", message, key, counter from chaos.effect order by id');
    return rows.map((row) => ({ ...row, id: Number(row.id), counter: Number(row.counter) }));
  }

  /** How many messages each dead-letter reason took: none should be, for every handler retries for ever. */
  async deadLetters(): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ told: string }>(
      `select count(*) || ' × ' || reason as told from tidings.dead_letter group by reason`,
    );
    return rows.map(({ told }) => told);
  }

  /** Cuts what is still connected. Safe twice. */
  async drop(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end();
    await onServer(this.serverUrl, `drop database if exists ${quoted(this.name)} with (force)`);
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
