import { type Store, table } from '@tidings/core';
import type { ClaimedKey } from './claim-due-keys';

/** Lengthens the lease. False when another process has the key. */
export async function renewClaim(store: Store, { id, epoch }: ClaimedKey, leaseMs: number): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `update ${table(store, 'parked_key')} set due_at = ${table(store, 'now')}() + $3 * interval '1 ms'
      where id = $1::bigint and epoch = $2::bigint and state = 'waiting'`,
    values: [id, epoch, leaseMs],
  });
  return rowCount === 1;
}
