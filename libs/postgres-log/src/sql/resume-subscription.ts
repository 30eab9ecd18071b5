import { type Store, table } from '@tidings/core';
import type { SubscriptionName } from '../subscription-name';

/** False: it was not paused. */
export async function resumeSubscription(store: Store, { topic, group }: SubscriptionName): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `update ${table(store, 'subscription_control')} set paused_at = null, paused_by = null, paused_reason = null, changes = changes + 1
            where topic = $1 and group_name = $2 and paused_at is not null`,
    values: [topic, group],
  });
  return rowCount > 0;
}
