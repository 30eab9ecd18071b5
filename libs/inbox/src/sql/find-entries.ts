import { type Queryable, type Store, table } from '@tidings/core';
import type { InboxEntry } from '../inbox-entry';
import { horizon, withinHorizon } from '../inbox-sql';
import { bucketsOf, ENTRY_ROWS, entryArrays } from '../entry-arrays';
import type { FoundEntry } from './find-entry';

/** What became of entries that could not be registered, in their order. */
export async function findEntries(
  store: Store,
  on: Queryable,
  entries: readonly InboxEntry[],
  retentionDays: number,
): Promise<readonly FoundEntry[]> {
  const selects = bucketsOf(store, entries).map(
    ({ table: bucket, value }) => `
      select e.n, ${withinHorizon(store, 'e.bucket', '$7::int')} as inside, to_char(${horizon(store, '$7::int')}, 'YYYY-MM-DD') as horizon,
          i.fingerprint, i.sealed
        from ${table(store, 'inbox_horizon')} h cross join ${ENTRY_ROWS}
        left join ${bucket} i
          on i.digest = e.digest and i.subscription = $1::text and i.generation = e.generation and i.bucket = e.bucket
       where e.bucket = ${value}`,
  );
  const { rows } = await on.query<FoundEntry & { n: number }>({
    text: `${selects.join(' union all ')} order by n`,
    values: [...entryArrays(entries), retentionDays],
  });
  return rows;
}
