import { type Store, table } from '@tidings/core';
import { storable } from '../parked-identity';
import type { ClaimedKey } from './claim-due-keys';

export interface Postponement {
  /** Until the head is tried again; undefined: it is dead. */
  readonly delayMs?: number;
  /** Attempts that failed just now. */
  readonly failed: number;
  readonly reason: string;
}

/** The head waits again, or is dead; the lease ends by it. False when another process has the key. */
export async function postponeKey(
  store: Store,
  { id, epoch }: ClaimedKey,
  { delayMs, failed, reason }: Postponement,
): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `update ${table(store, 'parked_key')} set state = case when $3::float8 is null then 'dead' else 'waiting' end,
        due_at = ${table(store, 'now')}() + $3::float8 * interval '1 ms', attempts = attempts + $4::bigint, reason = $5,
        owner = null, epoch = epoch + 1
      where id = $1::bigint and epoch = $2::bigint`,
    values: [id, epoch, delayMs ?? null, failed, storable(reason)],
  });
  return rowCount === 1;
}
