import { type Store, table } from '@tidings/core';
import { bucketTable } from '../bucket';
import { literal, lockBuckets } from '../inbox-sql';

/** DROP locks the parent too, and whoever needs it queues up behind a DROP that waits: it waits this long at most, and is tried again later. */
const LOCK_TIMEOUT_MS = 50;

/** Drops a bucket's table if the horizon has passed it. Fails with 55P03 while somebody uses it, a handler that began before the horizon was raised. */
export async function dropBucket(store: Store, bucket: string): Promise<void> {
  const partition = bucketTable(store, bucket);
  await store.query({
    text: `do $tidings$ begin
        perform set_config('lock_timeout', ${literal(`${LOCK_TIMEOUT_MS}ms`)}, true);
        perform ${lockBuckets(store)};
        if date '${bucket}' < (select oldest from ${table(store, 'inbox_horizon')}) then
          drop table if exists ${partition};
        end if;
      end $tidings$`,
  });
}
