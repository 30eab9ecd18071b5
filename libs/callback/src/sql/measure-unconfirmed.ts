import { type Store, table } from '@tidings/core';
import { missingGroups } from '../missing-groups';

export interface Unconfirmed {
  /** Messages whose check is open. */
  readonly messages: number;
  /** Confirmations that are missing, by group. */
  readonly byGroup: Readonly<Record<string, number>>;
}

export async function measureUnconfirmed(store: Store): Promise<Unconfirmed> {
  const { rows } = await store.query<{ g: string | null; n: number }>({
    text: `with open as (select ${missingGroups(store, 'c')} as missing from ${table(store, 'callback_check')} c)
      select null as g, count(*)::int as n from open union all
      select m.g, count(*)::int from open, unnest(open.missing) m(g) group by 1`,
  });
  const byGroup = Object.fromEntries(rows.flatMap(({ g, n }) => (g === null ? [] : [[g, n]])));
  return { messages: rows.find(({ g }) => g === null)?.n ?? 0, byGroup };
}
