import { type Store, table } from '@tidings/core';

/** The bucket of messages that have none, as SQL. */
export const FOREIGN_BUCKET = '-infinity';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Does the text look like a date? The wire may carry anything, and PostgreSQL would take 'today' or 'infinity' for dates as well. Whether the day
 * exists is the database's to say.
 */
export const isDay = (text: string): boolean => DAY.test(text);

/** The name of a bucket's table, unqualified. Safe as SQL, for a bucket that is a day has digits only. */
export const partitionName = (bucket: string | null): string =>
  bucket === null ? 'inbox_foreign' : `inbox_${bucket.replaceAll('-', '')}`;

/**
 * The bucket's table, qualified. Statements name it, not the parent: an INSERT saves the routing, and takes no lock on the parent that would make
 * the DROP of another bucket wait for a long handler. (The first INSERT of a connection into a bucket does: PostgreSQL reads the partition's bound.)
 */
export const bucketTable = (store: Pick<Store, 'schema'>, bucket: string | null): string =>
  table(store, partitionName(bucket));
