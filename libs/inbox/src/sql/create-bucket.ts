import { type Store, table } from '@tidings/core';
import { bucketTable } from '../bucket';
import { literal, lockBuckets } from '../inbox-sql';

/**
 * Creates a bucket's table unless it exists, or is already given up. Safe from several processes at once.
 *
 * CREATE … PARTITION OF would lock the parent against every insert that goes through it; a table of its own that is attached takes SHARE UPDATE
 * EXCLUSIVE there, which waits for no insert and holds up none.
 */
export async function createBucket(store: Store, bucket: string): Promise<void> {
  const [inbox, partition] = [table(store, 'inbox'), bucketTable(store, bucket)];
  await store.query({
    text: `do $tidings$ begin
        perform ${lockBuckets(store)};
        if to_regclass(${literal(partition)}) is null
          and date '${bucket}' >= (select oldest from ${table(store, 'inbox_horizon')}) then
          create table ${partition} (like ${inbox} including all);
          alter table ${inbox} attach partition ${partition} for values in ('${bucket}');
        end if;
      end $tidings$`,
  });
}
