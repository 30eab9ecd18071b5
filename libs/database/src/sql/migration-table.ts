import { quoted, type Queryable, table } from '@tidings/core';

interface InSchema {
  readonly schema: string;
}

/** Until the transaction ends; waits for another process that migrates the same schema. */
export const lockMigrations = (on: Queryable, { schema }: InSchema): Promise<unknown> =>
  on.query({
    text: `select pg_advisory_xact_lock(hashtextextended('tidings migrations of ' || $1, 0))`,
    values: [schema],
  });

/** `create schema if not exists` needs the right to create even where the schema is there: an owner may have made it for a lesser role. */
export async function createMigrationTable(on: Queryable, { schema }: InSchema): Promise<void> {
  const found = await on.query<{ there: boolean }>({
    text: 'select exists (select from pg_namespace where nspname = $1) as there',
    values: [schema],
  });
  if (!found.rows[0]?.there) await on.query({ text: `create schema ${quoted(schema)}` });
  if (await hasMigrationTable(on, { schema })) return;
  await on.query({
    text: `create table ${table({ schema }, 'migration')} (id text primary key, applied_at timestamptz not null default clock_timestamp())`,
  });
}

export async function hasMigrationTable(on: Queryable, { schema }: InSchema): Promise<boolean> {
  const found = await on.query<{ there: boolean }>({
    text: 'select to_regclass($1) is not null as there',
    values: [table({ schema }, 'migration')],
  });
  return found.rows[0]?.there === true;
}

export async function readAppliedMigrations(on: Queryable, { schema }: InSchema): Promise<Set<string>> {
  const { rows } = await on.query<{ id: string }>({ text: `select id from ${table({ schema }, 'migration')}` });
  return new Set(rows.map(({ id }) => id));
}

export const recordMigration = (on: Queryable, { schema }: InSchema, id: string): Promise<unknown> =>
  on.query({ text: `insert into ${table({ schema }, 'migration')} (id) values ($1)`, values: [id] });
