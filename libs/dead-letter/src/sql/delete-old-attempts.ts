import { type Store, table } from '@tidings/core';

/** Deletes up to `limit` records of attempts that began longer ago than this and never ended, their deaths with them: the message never came back. */
export async function deleteOldAttempts(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const { rowCount } = await store.query({
    text: `delete from ${table(store, 'attempt')} where letter_key = any(array(
        select letter_key from ${table(store, 'attempt')}
         where began_at < ${table(store, 'now')}() - make_interval(secs => $1::float8 / 1000)
         order by began_at limit $2::int for update skip locked))`,
    values: [olderThanMs, limit],
  });
  return rowCount;
}
