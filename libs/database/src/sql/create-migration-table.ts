import { type Queryable, type Store, table } from '@tidings/core';

/** Has a row for each migration of the schema, whichever package it came from. */
export const createMigrationTable = (on: Queryable, store: Pick<Store, 'schema'>): Promise<unknown> =>
  on.query({
    text: `create table ${table(store, 'migration')} (id text primary key, applied_at timestamptz not null default clock_timestamp())`,
  });
