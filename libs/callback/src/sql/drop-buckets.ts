import { type Store, table } from '@tidings/core';
import { type BucketedTable, lockBuckets } from '../bucket';

/** A DROP that waits holds up whoever comes behind it: it waits this long at most, and is tried again later. */
const LOCK_TIMEOUT_MS = 50;

/** Drops the tables of buckets past the retention. Fails with 55P03 while somebody uses one; the next run goes on. */
export async function dropBuckets(store: Store, of: BucketedTable, retentionDays: number): Promise<void> {
  const parent = table(store, of).replaceAll("'", "''");
  await store.query({
    text: `do $tidings$ declare old text; begin
        perform set_config('lock_timeout', '${LOCK_TIMEOUT_MS}ms', true);
        perform ${lockBuckets(store)};
        for old in
          select c.oid::regclass::text from pg_inherits p join pg_class c on c.oid = p.inhrelid
           where p.inhparent = to_regclass('${parent}') and c.relname ~ '^${of}_\\d{8}$'
             and to_date(right(c.relname, 8), 'YYYYMMDD') < (${table(store, 'now')}() at time zone 'UTC')::date - ${retentionDays} loop
          execute 'drop table ' || old;
        end loop;
      end $tidings$`,
  });
}
