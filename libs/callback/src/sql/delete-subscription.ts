import { type Store, table } from '@tidings/core';

/** True when it was known. */
export async function deleteSubscription(store: Store, type: string, group: string): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `delete from ${table(store, 'callback_subscription')} where type = $1 and group_name = $2`,
    values: [type, group],
  });
  return rowCount === 1;
}
