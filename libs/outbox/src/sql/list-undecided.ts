import { type Store, table } from '@tidings/core';
import { PREPARED_COLUMNS, type PreparedRow } from '../prepared-row';

/** Undecided messages, those that are asked for next first. */
export async function listUndecided(store: Store, limit: number): Promise<PreparedRow[]> {
  const { rows } = await store.query<PreparedRow>({
    text: `select ${PREPARED_COLUMNS} from ${table(store, 'prepared')} where status = 'undecided' order by check_at limit $1`,
    values: [limit],
  });
  return rows;
}
