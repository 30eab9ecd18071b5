import { type Store, table } from '@tidings/core';
import type { SubscriptionName } from '../subscription-name';

/** Twice: the first pause's time stays, the second one's reason counts. */
export async function pauseSubscription(
  store: Store,
  { topic, group }: SubscriptionName,
  by: string,
  reason: string,
): Promise<void> {
  await store.query({
    text: `insert into ${table(store, 'subscription_control')} as c (topic, group_name, paused_at, paused_by, paused_reason)
           values ($1, $2, ${table(store, 'now')}(), $3, $4)
           on conflict (topic, group_name) do update set paused_at = coalesce(c.paused_at, excluded.paused_at),
             paused_by = excluded.paused_by, paused_reason = excluded.paused_reason, changes = c.changes + 1`,
    values: [topic, group, by, reason],
  });
}
