import { type Queryable, type Store, table } from '@tidings/core';

/** True when it was still there: of two that decide at once, one does. */
export async function deleteCheck(store: Store, on: Queryable, digest: Buffer): Promise<boolean> {
  const { rowCount } = await on.query({
    text: `delete from ${table(store, 'callback_check')} where digest = $1`,
    values: [digest],
  });
  return rowCount === 1;
}
