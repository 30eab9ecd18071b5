import { type Store, table } from '@tidings/core';
import type { ClaimedKey } from './claim-due-keys';

/** The head is done with, and its followers are next. */
export async function leaveParkedKey(
  store: Store,
  { id, epoch }: ClaimedKey,
  position: string,
): Promise<'lost' | 'next' | 'unparked'> {
  const { rows } = await store.query<{ outcome: 'lost' | 'next' | 'unparked' }>({
    text: `select ${table(store, 'leave_parked_key')}($1::bigint, $2::bigint, $3::bigint) as outcome`,
    values: [id, epoch, position],
  });
  return rows[0]!.outcome;
}
