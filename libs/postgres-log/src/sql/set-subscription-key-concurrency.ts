import { type Store, table } from '@tidings/core';
import type { SubscriptionName } from '../subscription-name';

/** Null: the number in the code counts again. */
export async function setSubscriptionKeyConcurrency(
  store: Store,
  { topic, group }: SubscriptionName,
  by: string,
  concurrency: number | null,
): Promise<void> {
  await store.query({
    text: `insert into ${table(store, 'subscription_control')} as c (topic, group_name, key_concurrency, key_concurrency_at, key_concurrency_by)
           values ($1, $2, $3, ${table(store, 'now')}(), $4)
           on conflict (topic, group_name) do update set key_concurrency = excluded.key_concurrency, key_concurrency_at = excluded.key_concurrency_at,
             key_concurrency_by = excluded.key_concurrency_by, changes = c.changes + 1`,
    values: [topic, group, concurrency, by],
  });
}
