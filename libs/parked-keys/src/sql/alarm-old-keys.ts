import { type Store, table } from '@tidings/core';

export interface OldKey {
  readonly direction: string;
  readonly place: string;
  readonly key: string;
  readonly state: string;
  readonly reason: string;
  readonly parkedMs: number;
}

/** Keys that have been parked for longer, each told once in all processes; a page of the longest. */
export async function alarmOldKeys(store: Store, olderThanMs: number, limit: number): Promise<OldKey[]> {
  const parked = table(store, 'parked_key');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<Omit<OldKey, 'parkedMs'> & { parked_ms: string | number }>({
    text: `update ${parked} k set alarmed_at = ${now}
      from (select id from ${parked} where alarmed_at is null and since < ${now} - $1 * interval '1 ms' order by since limit $2
              for update skip locked) old
      where k.id = old.id
      returning direction, place, key, state, reason, extract(epoch from ${now} - since) * 1000 as parked_ms`,
    values: [olderThanMs, limit],
  });
  return rows.map(({ parked_ms, ...row }) => ({ ...row, parkedMs: Math.round(Number(parked_ms)) }));
}
