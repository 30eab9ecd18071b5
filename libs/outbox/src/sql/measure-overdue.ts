import { type Store, table } from '@tidings/core';

export interface Overdue {
  /** At most `limit`. */
  readonly count: number;
  readonly types: readonly string[];
}

/** What should have been asked for `sinceMs` ago and was not: no process of the cluster has a handler for it, or none runs. */
export async function measureOverdue(store: Store, sinceMs: number, limit: number): Promise<Overdue> {
  const { rows } = await store.query<{ count: number; types: string[] | null }>({
    text: `select count(*)::int as count, array_agg(distinct type) as types from (
             select type from ${table(store, 'prepared')}
              where status = 'undecided' and check_at < ${table(store, 'now')}() - $1 * interval '1 ms' limit $2) overdue`,
    values: [sinceMs, limit],
  });
  return { count: rows[0]?.count ?? 0, types: rows[0]?.types ?? [] };
}
