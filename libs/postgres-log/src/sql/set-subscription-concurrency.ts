import { type Store, table } from '@tidings/core';
import type { SubscriptionName } from '../subscription-name';

/** Null: the number in the code counts again. */
export async function setSubscriptionConcurrency(
  store: Store,
  { topic, group }: SubscriptionName,
  by: string,
  concurrency: number | null,
): Promise<void> {
  await store.query({
    text: `insert into ${table(store, 'subscription_control')} as c (topic, group_name, concurrency, concurrency_at, concurrency_by)
           values ($1, $2, $3, ${table(store, 'now')}(), $4)
           on conflict (topic, group_name) do update set concurrency = excluded.concurrency, concurrency_at = excluded.concurrency_at,
             concurrency_by = excluded.concurrency_by, changes = c.changes + 1`,
    values: [topic, group, concurrency, by],
  });
}
