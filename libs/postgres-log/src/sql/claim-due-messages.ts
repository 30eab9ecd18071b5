import { type Store, table } from '@tidings/core';
import { WRITTEN_COLUMNS } from '../log-row';
import { prepared } from '../prepared-statement';

export interface DueClaim {
  /** Messages moved into the log. */
  readonly moved: readonly { readonly destination: number; readonly lane: number }[];
  /** Until the next one is due; undefined when none waits. */
  readonly nextMs: number | undefined;
}

/**
 * Moves what is due into the log: one statement, so that a message is in exactly one of the two tables whatever crashes. SKIP LOCKED lets several
 * processes claim side by side.
 */
export async function claimDueMessages(store: Store, limit: number): Promise<DueClaim> {
  const due = table(store, 'due');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<{ destination: number | null; lane: number | null; next_ms: number | null }>(
    prepared(
      store,
      'due.claim',
      `with claimed as (
         delete from ${due} where id in (
           select id from ${due} where due_at <= ${now} order by due_at, id limit $1 for update skip locked)
         returning *),
       moved as (
         insert into ${table(store, 'message')} (segment, ${WRITTEN_COLUMNS})
         select c.segment, ${WRITTEN_COLUMNS.replace(/\bid\b/, 'message_id')}
           from ${table(store, 'control')} c, claimed order by due_at, claimed.id
         returning destination, lane)
       select m.destination, m.lane, null::float8 as next_ms from moved m
       union all select null, null, extract(epoch from (select min(due_at) from ${due} where due_at > ${now}) - ${now}) * 1000`,
      [limit],
    ),
  );
  const next = rows.find((row) => row.destination === null)?.next_ms;
  return {
    moved: rows.flatMap(({ destination, lane }) =>
      destination === null || lane === null ? [] : [{ destination, lane }],
    ),
    nextMs: next === null || next === undefined ? undefined : Math.max(0, Number(next)),
  };
}
