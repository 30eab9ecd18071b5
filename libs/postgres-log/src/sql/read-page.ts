import { type Store, table } from '@tidings/core';
import { type LogRow, ROW_COLUMNS } from '../log-row';
import type { HeldLane } from '../held-lane';
import type { OpenWindow } from '../position';
import { prepared } from '../prepared-statement';

/** The next page of an open window, by seq: the same cost for the first and the last page, restartable at any seq. */
export async function readPage(
  store: Store,
  { destination, lane, incarnation }: HeldLane,
  at: OpenWindow,
  limit: number,
): Promise<LogRow[]> {
  const { rows } = await store.query<LogRow>(
    prepared(
      store,
      'read.page',
      `select ${ROW_COLUMNS} from ${table(store, 'message')}
        where exists (select from ${table(store, 'incarnation')} where one and id = $8) and destination = $1 and lane = $2 and seq > $5 and seq <= $6
          and not pg_visible_in_snapshot(xid, $3::pg_snapshot) and pg_visible_in_snapshot(xid, $4::pg_snapshot)
        order by seq limit $7`,
      [destination, lane, at.snap, at.target, at.progress, at.high, limit, incarnation],
    ),
  );
  return rows;
}
