import { type Store, table } from '@tidings/core';
import { type ParkedMessage, parkedMessageOf, type ParkedRow } from '../parked-message';
import type { ClaimedKey } from './claim-due-keys';

export interface Head extends ParkedMessage {
  readonly position: string;
  /** Failed so far. */
  readonly attempts: number;
}

/** The first in the row, and the lease anew; undefined when another process has the key. */
export async function readHead(store: Store, { id, epoch }: ClaimedKey, leaseMs: number): Promise<Head | undefined> {
  const { rows } = await store.query<ParkedRow & { readonly position: string; readonly attempts: string }>({
    text: `with held as (
        update ${table(store, 'parked_key')} set due_at = ${table(store, 'now')}() + $3 * interval '1 ms'
         where id = $1::bigint and epoch = $2::bigint and state = 'waiting' returning id, attempts)
      select m.position::text, held.attempts::text, m.envelope, m.payload, m.passage
        from held join ${table(store, 'parked_message')} m on m.key_id = held.id order by m.position limit 1`,
    values: [id, epoch, leaseMs],
  });
  const [row] = rows;
  return row && { ...parkedMessageOf(row), position: row.position, attempts: Number(row.attempts) };
}
