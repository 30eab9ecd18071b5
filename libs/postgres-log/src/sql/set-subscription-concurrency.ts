import { type Store, table } from '@tidings/core';
import type { SubscriptionName } from '../subscription-name';

/** Of the whole subscription, or of the messages of one key. */
export type ConcurrencyColumn = 'concurrency' | 'key_concurrency';

/** Null: the number in the code counts again. */
export async function setSubscriptionConcurrency(
  store: Store,
  { topic, group }: SubscriptionName,
  column: ConcurrencyColumn,
  by: string,
  concurrency: number | null,
): Promise<void> {
  await store.query({
    text: `insert into ${table(store, 'subscription_control')} as c (topic, group_name, ${column}, ${column}_at, ${column}_by)
           values ($1, $2, $3, ${table(store, 'now')}(), $4)
           on conflict (topic, group_name) do update set ${column} = excluded.${column}, ${column}_at = excluded.${column}_at,
             ${column}_by = excluded.${column}_by, changes = c.changes + 1`,
    values: [topic, group, concurrency, by],
  });
}
