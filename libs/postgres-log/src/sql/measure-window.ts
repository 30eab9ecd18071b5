import { type Store, table } from '@tidings/core';
import type { HeldLane } from '../held-lane';
import { prepared } from '../prepared-statement';

export interface Window {
  readonly target: string;
  /** The window's first and last `seq`; null when it is empty. */
  readonly low: string | null;
  readonly high: string | null;
}

/** Bounds of a window too large for one batch: one pass over the (destination, lane, xid) index, once a window, nothing kept in memory. */
export async function measureWindow(store: Store, { destination, lane, at, incarnation }: HeldLane): Promise<Window> {
  const message = table(store, 'message');
  const { rows } = await store.query<Window>(
    prepared(
      store,
      'read.measure',
      `select pg_current_snapshot()::text as target, min(seq)::text as low, max(seq)::text as high from (
         select seq from ${message} where destination = $1 and lane = $2 and xid >= pg_snapshot_xmax($3::pg_snapshot)
         union all
         select seq from pg_snapshot_xip($3::pg_snapshot) x, lateral (
           select seq from ${message} where destination = $1 and lane = $2 and xid = x) late) w
        where exists (select from ${table(store, 'incarnation')} where one and id = $4)`,
      [destination, lane, at.snap, incarnation],
    ),
  );
  return rows[0]!;
}
