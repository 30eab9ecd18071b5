import { type Store, table } from '@tidings/core';
import { ofOneProcess } from '../one-process-condition';

/** Notes which destinations of one process have lost it, and which have it again. A minute of grace covers one that has no membership yet. */
export async function markOrphans(store: Store, limit: number): Promise<void> {
  const destination = table(store, 'destination');
  const now = `${table(store, 'now')}()`;
  const alive = `exists (select from ${table(store, 'member')} m where m.name = d.audience and m.lease_until > ${now})`;
  await store.query({
    text: `update ${destination} d set orphaned_at = case when d.orphaned_at is null then ${now} end
      where d.id = any(array(select d.id from ${destination} d
        where ${ofOneProcess('d.audience')} and d.created_at < ${now} - interval '1 minute' and (d.orphaned_at is null) <> ${alive}
        order by d.id limit $1::int for update skip locked))`,
    values: [limit],
  });
}
