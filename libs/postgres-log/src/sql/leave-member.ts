import { type Store, table } from '@tidings/core';

/** This process takes no further part in the work. */
export async function leaveMember(store: Store, name: string, owner: string): Promise<void> {
  await store.query({
    text: `delete from ${table(store, 'member')} where (name, owner) = ($1, $2)`,
    values: [name, owner],
  });
}
