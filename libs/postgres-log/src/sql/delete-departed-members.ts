import { type Store, table } from '@tidings/core';

/** Clears away processes that died a minute ago or longer. SKIP LOCKED: others do the same at the same time, and one of the dead may be waking up. */
export async function deleteDepartedMembers(store: Store): Promise<void> {
  const member = table(store, 'member');
  await store.query({
    text: `delete from ${member} where ctid in (
      select ctid from ${member} where lease_until < ${table(store, 'now')}() - interval '1 minute' for update skip locked)`,
  });
}
