import { type Store, table } from '@tidings/core';

/** Deletes up to `limit` letters that were settled longer ago than this, the oldest first, and says how many: a page, so that no lock is held for long. */
export async function deleteSettledLetters(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const { rowCount } = await store.query({
    text: `delete from ${table(store, 'dead_letter')} where id = any(array(
        select id from ${table(store, 'dead_letter')}
         where settled_at is not null and settled_at < ${table(store, 'now')}() - make_interval(secs => $1::float8 / 1000)
         order by settled_at, id limit $2::int for update skip locked))`,
    values: [olderThanMs, limit],
  });
  return rowCount;
}
