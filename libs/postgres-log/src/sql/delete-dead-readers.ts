import { type Store, table } from '@tidings/core';

/**
 * Forgets broadcast readers (`group#instance`) whose process has died: their membership ran out. Left behind they would hold the log's segments
 * for ever. A minute of grace covers a process that has registered its reader and not yet its membership.
 */
export async function deleteDeadReaders(store: Store, destination: number, group: string): Promise<void> {
  const now = `${table(store, 'now')}()`;
  await store.query({
    text: `with dead as (
        delete from ${table(store, 'reader')} r
         where r.destination = $1 and starts_with(r.name, $2 || '#') and r.created_at < ${now} - interval '1 minute'
           and not exists (select from ${table(store, 'member')} m where m.name = r.name and m.lease_until > ${now})
        returning id)
      delete from ${table(store, 'cursor')} where reader in (select id from dead)`,
    values: [destination, group],
  });
}
