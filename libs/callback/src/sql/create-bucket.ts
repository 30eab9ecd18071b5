import { type Store, table } from '@tidings/core';
import { type BucketedTable, bucketTable, lockBuckets } from '../bucket';

/**
 * Creates a bucket's table unless it exists or is past the retention. Safe from several processes at once. Attached, not created as a partition: that
 * would lock the parent against every insert.
 */
export async function createBucket(
  store: Store,
  of: BucketedTable,
  bucket: string,
  retentionDays: number,
): Promise<void> {
  const [parent, partition] = [table(store, of), bucketTable(store, of, bucket)];
  await store.query({
    text: `do $tidings$ begin
        perform ${lockBuckets(store)};
        if to_regclass('${partition.replaceAll("'", "''")}') is null
          and date '${bucket}' >= (${table(store, 'now')}() at time zone 'UTC')::date - ${retentionDays} then
          create table ${partition} (like ${parent} including all);
          alter table ${parent} attach partition ${partition} for values in ('${bucket}');
        end if;
      end $tidings$`,
  });
}
