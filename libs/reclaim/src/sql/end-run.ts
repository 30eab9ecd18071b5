import { type ReclaimReport, type Store, table } from '@tidings/core';

/** Keeps what a run did, and gives the lease back. Does nothing when the lease went to another process meanwhile. */
export async function endRun(store: Store, owner: string, reports: readonly ReclaimReport[]): Promise<void> {
  await store.query({
    text: `update ${table(store, 'reclaim')} set lease_until = '-infinity', finished_at = ${table(store, 'now')}(), reports = $2
            where owner = $1`,
    values: [owner, JSON.stringify(reports)],
  });
}
