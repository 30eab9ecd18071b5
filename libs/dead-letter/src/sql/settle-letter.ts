import { type Store, table } from '@tidings/core';
import type { LetterStatus } from '../letter-filter';

/** Ends a letter's story; does nothing when it has left the status that it is expected to have. */
export async function settleLetter(store: Store, id: string, from: LetterStatus, to: LetterStatus): Promise<void> {
  await store.query({
    text: `update ${table(store, 'dead_letter')} set status = $3, settled_at = ${table(store, 'now')}()
      where id = $1::bigint and status = $2`,
    values: [id, from, to],
  });
}
