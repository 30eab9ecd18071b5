import { LANES, type Store, table } from '@tidings/core';

/** A snapshot in which nothing is visible: 3 is the first ordinary transaction id. */
const BEFORE_ALL = '3:3:';

/**
 * The number of a reader of a destination; a new one gets its lanes' cursors in the same statement. `now` begins at this statement's snapshot:
 * whatever commits later is read, transactions that are open now included. Undefined: registered by another process just now, ask again.
 */
export async function registerReader(
  store: Store,
  name: string,
  destination: number,
  from: 'now' | 'earliest',
): Promise<number | undefined> {
  const reader = table(store, 'reader');
  const { rows } = await store.query<{ id: number }>({
    text: `with made as (
        insert into ${reader} (name, destination)
        select $1, $2 where not exists (select from ${reader} where (name, destination) = ($1, $2))
        on conflict do nothing returning id),
      lanes as (
        insert into ${table(store, 'cursor')} (reader, lane, snap)
        select id, lane, coalesce($3::pg_snapshot, pg_current_snapshot()) from made, generate_series(0, ${LANES - 1}) lane)
      select id from made union all select id from ${reader} where (name, destination) = ($1, $2)`,
    values: [name, destination, from === 'earliest' ? BEFORE_ALL : null],
  });
  return rows[0]?.id;
}
