import { type Store, table } from '@tidings/core';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Tables with a partition a day, which is given up by DROP. */
export type BucketedTable = 'callback_confirmation' | 'callback_nonce';

/** The wire may carry anything; a bucket that is a day is safe as SQL. */
export const isBucket = (text: string): boolean => DAY.test(text);

/** The table of a bucket, qualified. */
export const bucketTable = (store: Pick<Store, 'schema'>, parent: BucketedTable, bucket: string): string =>
  table(store, `${parent}_${bucket.replaceAll('-', '')}`);

/** Creating and dropping of buckets, one at a time in all processes of a schema. */
export const lockBuckets = (store: Pick<Store, 'schema'>): string =>
  `pg_advisory_xact_lock(hashtextextended('tidings callback of ${store.schema.replaceAll("'", "''")}', 0))`;
