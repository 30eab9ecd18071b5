import { type Store, table } from '@tidings/core';

/** Deletes up to `limit` redrive jobs that ended (done, stopped, cancelled) longer ago than this. The letters that they redrove stay. */
export async function deleteEndedJobs(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const { rowCount } = await store.query({
    text: `delete from ${table(store, 'redrive_job')} where id = any(array(
        select id from ${table(store, 'redrive_job')}
         where ended_at is not null and ended_at < ${table(store, 'now')}() - make_interval(secs => $1::float8 / 1000)
         order by ended_at, id limit $2::int for update skip locked))`,
    values: [olderThanMs, limit],
  });
  return rowCount;
}
