import { type Store, table } from '@tidings/core';

export interface ParkedCount {
  readonly parked: number;
  readonly dead: number;
  /** Parked for longer than the alarm allows. */
  readonly old: number;
}

/** Counts up to `limit` keys: parked keys are few, and when they are not the exact number is no news. */
export async function countParkedKeys(store: Store, olderThanMs: number, limit: number): Promise<ParkedCount> {
  const { rows } = await store.query<{ parked: string; dead: string; old: string }>({
    text: `select count(*) as parked, count(*) filter (where state = 'dead') as dead,
        count(*) filter (where since < ${table(store, 'now')}() - $1 * interval '1 ms') as old
      from (select state, since from ${table(store, 'parked_key')} limit $2) page`,
    values: [olderThanMs, limit],
  });
  const { parked, dead, old } = rows[0]!;
  return { parked: Number(parked), dead: Number(dead), old: Number(old) };
}
