import { type Store, table } from '@tidings/core';
import { ofOneProcess } from '../one-process-condition';

/**
 * Forgets up to `limit` processes of broadcasts that have been gone for longer: their destination, and their readers there and on the topic, with the
 * cursors. What was still addressed to them nobody will read; with no destination it holds no segment.
 */
export async function deleteOrphans(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<{ forgotten: number }>({
    text: `with gone as materialized (
        select d.id, d.audience from ${table(store, 'destination')} d
         where ${ofOneProcess('d.audience')} and d.orphaned_at < ${now} - $1 * interval '1 ms'
           and not exists (select from ${table(store, 'member')} m where m.name = d.audience and m.lease_until > ${now})
         order by d.id limit $2::int for update skip locked),
      readers as (delete from ${table(store, 'reader')} where name in (select audience from gone) returning id),
      cursors as (delete from ${table(store, 'cursor')} where reader in (
        select r.id from ${table(store, 'reader')} r where r.name in (select audience from gone))),
      destinations as (delete from ${table(store, 'destination')} where id in (select id from gone) returning id)
      select count(*)::int as forgotten from destinations`,
    values: [olderThanMs, limit],
  });
  return rows[0]!.forgotten;
}
