import { type Store, table } from '@tidings/core';

/** Of one group, over the last hour's confirmations. */
export interface GroupLatency {
  readonly group: string;
  readonly confirmations: number;
  /** From the message's time to the end of its handling, by the clocks of sender and consumer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Reads the hour's confirmations: for a page that is looked at, not for every request. */
export async function measureConfirmations(store: Store): Promise<GroupLatency[]> {
  const ms = `extract(epoch from confirmed_at - sent_at) * 1000`;
  const { rows } = await store.query<GroupLatency>({
    text: `select group_name as "group", count(*)::int as confirmations,
        round((percentile_cont(0.5) within group (order by ${ms}))::numeric, 1)::float8 as "p50Ms",
        round((percentile_cont(0.99) within group (order by ${ms}))::numeric, 1)::float8 as "p99Ms"
      from ${table(store, 'callback_confirmation')} where received_at > ${table(store, 'now')}() - interval '1 hour' group by 1 order by 1`,
  });
  return rows;
}
