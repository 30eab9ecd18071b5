import { type Queryable, type Store, table } from '@tidings/core';
import type { PreparedStatus } from '../prepared-row';

/** Undefined: never prepared, or decided longer ago than the retention. */
export async function findPreparedStatus(
  store: Store,
  on: Queryable,
  source: string,
  id: string,
): Promise<PreparedStatus | undefined> {
  const { rows } = await on.query<{ status: PreparedStatus }>({
    text: `select status from ${table(store, 'prepared')} where source = $1 and message_id = $2`,
    values: [source, id],
  });
  return rows[0]?.status;
}
