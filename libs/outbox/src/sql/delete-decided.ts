import { type Store, table } from '@tidings/core';

/** A page of what was decided longer ago than the retention. Resolves with how many rows went. */
export async function deleteDecided(store: Store, retentionMs: number, limit: number): Promise<number> {
  const prepared = table(store, 'prepared');
  const { rowCount } = await store.query({
    text: `delete from ${prepared} where (source, message_id) in (
             select source, message_id from ${prepared}
              where status <> 'undecided' and decided_at < ${table(store, 'now')}() - $1 * interval '1 ms'
              order by decided_at limit $2 for update skip locked)`,
    values: [retentionMs, limit],
  });
  return rowCount;
}
