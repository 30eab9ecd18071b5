import { createHash } from 'node:crypto';
import { type Statement, type Store, table } from '@tidings/core';
import { FOREIGN_BUCKET } from './bucket';

/** Today by the database. UTC, whatever the session's time zone: processes must agree on where a day ends. */
export const today = (store: Pick<Store, 'schema'>): string => `(${table(store, 'now')}() at time zone 'UTC')::date`;

/** The oldest bucket that may be handled. Needs the horizon's row as `h`; `days` is SQL. */
export const horizon = (store: Pick<Store, 'schema'>, days: string): string =>
  `greatest(h.oldest, ${today(store)} - ${days})`;

/** True for what the inbox still knows all about. Foreign messages have no bucket that could be too old. */
export const withinHorizon = (store: Pick<Store, 'schema'>, bucket: string, days: string): string =>
  `(${bucket} = '${FOREIGN_BUCKET}' or ${bucket} >= ${horizon(store, days)})`;

/** Creating and dropping of buckets, one at a time in all processes of a schema. */
export const lockBuckets = (store: Pick<Store, 'schema'>): string =>
  `pg_advisory_xact_lock(hashtextextended(${literal(`tidings inbox of ${store.schema}`)}, 0))`;

/** A text as SQL, in a statement that cannot have parameters (DO). */
export const literal = (text: string): string => `e'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** A prepared statement, named by its text: schema and bucket are in there, and PostgreSQL cuts longer names at 63 bytes. */
export const prepared = (text: string, values: readonly unknown[]): Statement => ({
  name: `inbox_${createHash('sha1').update(text).digest('hex').slice(0, 32)}`,
  text,
  values,
});
