import { type Queryable, type Store, table } from '@tidings/core';

/** Files subscriptions; the earliest time that was told of one counts. */
export async function upsertSubscriptions(
  store: Store,
  on: Queryable,
  subscriptions: readonly { readonly type: string; readonly group: string }[],
  since: string,
): Promise<void> {
  await on.query({
    text: `insert into ${table(store, 'callback_subscription')} as s (type, group_name, since)
      select distinct u.type, u.group_name, $3::timestamptz from unnest($1::text[], $2::text[]) u(type, group_name) order by 1, 2
      on conflict (type, group_name) do update set since = least(s.since, excluded.since), told_at = ${table(store, 'now')}()`,
    values: [subscriptions.map(({ type }) => type), subscriptions.map(({ group }) => group), since],
  });
}
