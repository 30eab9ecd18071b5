import { type Store, table } from '@tidings/core';
import { today } from '../inbox-sql';

/** Gives up the buckets older than the retention, for all processes, whatever their own retention. It never goes back. */
export async function raiseHorizon(store: Store, retentionDays: number): Promise<void> {
  await store.query({
    text: `update ${table(store, 'inbox_horizon')} set oldest = ${today(store)} - $1::int where oldest < ${today(store)} - $1::int`,
    values: [retentionDays],
  });
}
