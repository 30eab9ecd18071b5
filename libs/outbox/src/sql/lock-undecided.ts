import { type Queryable, type Store, table } from '@tidings/core';

/** Locks an undecided message until the transaction ends; false when it is decided, or being decided. */
export async function lockUndecided(store: Store, on: Queryable, source: string, id: string): Promise<boolean> {
  const { rowCount } = await on.query({
    text: `select 1 from ${table(store, 'prepared')}
            where source = $1 and message_id = $2 and status = 'undecided' for update skip locked`,
    values: [source, id],
  });
  return rowCount === 1;
}
