import { type Store, table } from '@tidings/core';

/** Deletes up to `limit` failed attempts noted longer ago than this, of messages that were neither handled nor buried: whoever held them lost them. */
export async function deleteOldFailures(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const { rowCount } = await store.query({
    text: `delete from ${table(store, 'failed_attempt')} where id = any(array(
        select id from ${table(store, 'failed_attempt')}
         where noted_at < ${table(store, 'now')}() - make_interval(secs => $1::float8 / 1000)
         order by noted_at, id limit $2::int for update skip locked))`,
    values: [olderThanMs, limit],
  });
  return rowCount;
}
