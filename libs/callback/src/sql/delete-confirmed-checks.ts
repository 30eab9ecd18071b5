import { type Queryable, type Store, table } from '@tidings/core';
import { missingGroups } from '../missing-groups';

/** Ends the checks of these messages that all expected groups have confirmed now. */
export async function deleteConfirmedChecks(store: Store, on: Queryable, digests: readonly Buffer[]): Promise<number> {
  const { rowCount } = await on.query({
    text: `delete from ${table(store, 'callback_check')} c
      where c.digest = any(array(select d.digest from ${table(store, 'callback_check')} d
                                  where d.digest = any($1::bytea[]) and cardinality(${missingGroups(store, 'd')}) = 0
                                  order by d.digest for update))`,
    values: [digests],
  });
  return rowCount;
}
