import { type Store, table } from '@tidings/core';
import { PREPARED_COLUMNS, type PreparedRow } from '../prepared-row';

export interface CheckBackPace {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Takes messages whose time to be asked for has come, by giving each its next time, twice as far away as the one before: whoever dies while asking has
 * only delayed the next question. SKIP LOCKED lets processes ask side by side, and passes over what is being decided at this moment.
 */
export async function claimUndecided(
  store: Store,
  types: readonly string[],
  { firstMs, maxMs }: CheckBackPace,
  limit: number,
): Promise<PreparedRow[]> {
  const prepared = table(store, 'prepared');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<PreparedRow>({
    text: `update ${prepared} p
              set checks = p.checks + 1, check_at = ${now} + least($3, $2 * power(2, least(p.checks, 30))) * interval '1 ms'
             from (select source, message_id from ${prepared}
                    where status = 'undecided' and check_at <= ${now} and type = any($1)
                    order by check_at limit $4 for update skip locked) due
            where p.source = due.source and p.message_id = due.message_id
        returning ${PREPARED_COLUMNS.replace(/\w+/g, (name) => `p.${name}`)}`,
    values: [types, firstMs, maxMs, limit],
  });
  return rows;
}
