import { type Store, table } from '@tidings/core';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The wire may carry anything; a bucket that is a day is safe as SQL. */
export const isConfirmationBucket = (text: string): boolean => DAY.test(text);

/** The table of a bucket, qualified. */
export const confirmationBucketTable = (store: Pick<Store, 'schema'>, bucket: string): string =>
  table(store, `callback_confirmation_${bucket.replaceAll('-', '')}`);

/** Creating and dropping of buckets, one at a time in all processes of a schema. */
export const lockConfirmationBuckets = (store: Pick<Store, 'schema'>): string =>
  `pg_advisory_xact_lock(hashtextextended('tidings callback of ${store.schema.replaceAll("'", "''")}', 0))`;
