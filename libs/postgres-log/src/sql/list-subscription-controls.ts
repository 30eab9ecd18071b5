import { type Store, table, timestampOf } from '@tidings/core';
import type { DecidedNumber, SubscriptionControl } from '../subscription-control';

interface Row {
  readonly topic: string;
  readonly group_name: string;
  readonly paused_ms: number | null;
  readonly paused_by: string;
  readonly paused_reason: string;
  readonly concurrency: number | null;
  readonly concurrency_ms: number;
  readonly concurrency_by: string;
  readonly key_concurrency: number | null;
  readonly key_concurrency_ms: number;
  readonly key_concurrency_by: string;
}

/** Those that are in force. */
export async function listSubscriptionControls(store: Store): Promise<SubscriptionControl[]> {
  const { rows } = await store.query<Row>({
    text: `select topic, group_name, extract(epoch from paused_at)::float8 * 1000 as paused_ms, paused_by, paused_reason,
                  concurrency, extract(epoch from concurrency_at)::float8 * 1000 as concurrency_ms, concurrency_by,
                  key_concurrency, extract(epoch from key_concurrency_at)::float8 * 1000 as key_concurrency_ms, key_concurrency_by
             from ${table(store, 'subscription_control')}
            where paused_at is not null or concurrency is not null or key_concurrency is not null
            order by topic, group_name`,
  });
  return rows.map((row): SubscriptionControl => ({
    topic: row.topic,
    group: row.group_name,
    paused:
      row.paused_ms === null
        ? null
        : { since: timestampOf(row.paused_ms), by: row.paused_by, reason: row.paused_reason },
    concurrency: decided(row.concurrency, row.concurrency_ms, row.concurrency_by),
    keyConcurrency: decided(row.key_concurrency, row.key_concurrency_ms, row.key_concurrency_by),
  }));
}

const decided = (value: number | null, atMs: number, by: string): DecidedNumber | null =>
  value === null ? null : { value, since: timestampOf(atMs), by };
