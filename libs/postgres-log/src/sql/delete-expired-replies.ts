import { type Store, table } from '@tidings/core';

/** A page of replies that nobody fetched; resolves with their number. Two processes at it do not wait for each other. */
export async function deleteExpiredReplies(store: Store, limit: number): Promise<number> {
  const reply = table(store, 'reply');
  const { rowCount } = await store.query({
    text: `delete from ${reply} where id in (
        select id from ${reply} where expires_at < ${table(store, 'now')}() order by expires_at limit $1 for update skip locked)`,
    values: [limit],
  });
  return rowCount;
}
