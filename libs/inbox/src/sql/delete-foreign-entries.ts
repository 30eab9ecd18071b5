import { type Store, table } from '@tidings/core';
import { bucketTable } from '../bucket';

/** Deletes up to `limit` foreign entries older than the retention and says how many: a page, so that it holds no lock for long. */
export async function deleteForeignEntries(store: Store, retentionDays: number, limit: number): Promise<number> {
  const foreign = bucketTable(store, null);
  const { rowCount } = await store.query({
    text: `delete from ${foreign} where ctid = any(array(
        select ctid from ${foreign} where handled_at < ${table(store, 'now')}() - make_interval(days => $1::int)
        order by handled_at limit $2 for update skip locked))`,
    values: [retentionDays, limit],
  });
  return rowCount;
}
