import { randomBytes } from 'node:crypto';
import { removeTraces } from '@tidings/brokers';
import { quoted, silentLogger } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { messagingMigrations } from '@tidings/messaging';
import { Pool } from 'pg';
import { GROUPS, TOPICS } from './squares.contracts';
import type { SquaresTransport } from './squares.options';
import type { SquaresPlace } from './squares.place';

/** What a run makes at a server for itself alone. */
export interface SquaresGround {
  readonly place: SquaresPlace;
  /** Takes it away again. */
  remove(): Promise<void>;
}

/** `addressOf` finds a server by its name, and rejects when there is none. */
export async function squaresGround(
  transport: SquaresTransport,
  addressOf: (server: string) => Promise<string>,
): Promise<SquaresGround> {
  if (transport === 'memory') return { place: { kind: transport }, remove: () => Promise.resolve() };
  const url = await addressOf(transport);
  const name = `squares_${randomBytes(4).toString('hex')}`;
  if (transport === 'postgres') {
    await onPool(url, (pool) => migrateSchema(pool, name));
    return {
      place: { kind: transport, url, schema: name },
      remove: () => onPool(url, (pool) => pool.query(`drop schema if exists ${quoted(name)} cascade`)),
    };
  }
  return {
    place: { kind: transport, url, prefix: name },
    remove: () =>
      removeTraces(transport, { url, prefix: name }, new Map(TOPICS.map((topic) => [topic, Object.values(GROUPS)]))),
  };
}

async function migrateSchema(pool: Pool, schema: string): Promise<void> {
  const store = pg(pool, { schema, connections: 1, logger: silentLogger });
  try {
    await migrate(store, messagingMigrations);
  } finally {
    await store.close();
  }
}

async function onPool(connectionString: string, work: (pool: Pool) => Promise<unknown>): Promise<void> {
  const pool = new Pool({ connectionString, max: 2, application_name: 'squares' });
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}
