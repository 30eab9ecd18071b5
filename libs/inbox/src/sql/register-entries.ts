import { type Queryable, type Store, table } from '@tidings/core';
import type { CheckedInboxOptions } from '../inbox.options';
import type { InboxEntry } from '../inbox-entry';
import { prepared, withinHorizon } from '../inbox-sql';
import { bucketsOf, ENTRY_ROWS, entryArrays } from '../entry-arrays';

/**
 * Files entries of one subscription in one statement and tells the places of those whose row is new; `findEntries` tells what became of the others.
 *
 * The rows go in by bucket and digest, in every process alike, so that two batches which share messages wait for each other and never in a circle.
 * As `registeringEntries` does, it sets `lock_timeout` before the first row (`given` needs `armed`) and puts it back behind the last (`filed` has
 * drawn all of them by then). No two entries may have the same key.
 *
 * Fails as `registeringEntries` does: 42P01, 55P03, class 22.
 */
export async function registerEntries(
  store: Store,
  on: Queryable,
  entries: readonly InboxEntry[],
  { retentionDays, lockTimeoutMs }: CheckedInboxOptions,
): Promise<ReadonlySet<number>> {
  const buckets = bucketsOf(store, entries);
  const inserts = buckets.map(
    ({ table: bucket, value }, index) => `
      filed_${index} as (insert into ${bucket} (digest, subscription, generation, bucket, fingerprint)
        select digest, $1::text, generation, bucket, fingerprint from given where bucket = ${value} order by digest, generation
        on conflict do nothing returning digest, generation, bucket)`,
  );
  const { rows } = await on.query<{ numbers: number[] | null }>(
    prepared(
      `with before as materialized (select current_setting('lock_timeout') as setting),
      armed as materialized (
        select set_config('lock_timeout', case when setting is not null then $8 end, true) as setting from before),
      given as materialized (
        select e.* from armed cross join ${table(store, 'inbox_horizon')} h cross join ${ENTRY_ROWS}
         where armed.setting is not null and ${withinHorizon(store, 'e.bucket', '$7::int')}),${inserts.join(',')},
      filed as materialized (
        select array_agg(g.n) as numbers from given g
          join (${buckets.map((_, index) => `table filed_${index}`).join(' union all ')}) f using (digest, generation, bucket))
      select numbers, set_config('lock_timeout', (select setting from before), true) from filed`,
      [...entryArrays(entries), retentionDays, `${lockTimeoutMs}ms`],
    ),
  );
  return new Set(rows[0]?.numbers ?? []);
}
