import { type Store, table } from '@tidings/core';

/** A durable subscription that is expected to confirm. */
export interface ExpectedSubscription {
  readonly type: string;
  readonly group: string;
  /** RFC 3339: messages from before are not expected to be confirmed by it. */
  readonly since: string;
}

export async function listSubscriptions(store: Store): Promise<ExpectedSubscription[]> {
  const { rows } = await store.query<ExpectedSubscription>({
    text: `select type, group_name as "group", to_char(since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since
      from ${table(store, 'callback_subscription')} order by 1, 2`,
  });
  return rows;
}
