import { type Store, table } from '@tidings/core';
import { type LogRow, ROW_COLUMNS } from '../log-row';
import type { HeldLane } from '../held-lane';
import type { OpenWindow } from '../position';
import { prepared } from '../prepared-statement';

/**
 * The next page of an open window, by seq: the same cost for the first and the last page, restartable at any seq. It ends when its payloads reach
 * `batchBytes` (their stored size is looked at, so that what is left out is not even read), but has one message at least.
 */
export async function readPage(
  store: Store,
  { destination, lane, incarnation }: HeldLane,
  at: OpenWindow,
  { batch, batchBytes }: { readonly batch: number; readonly batchBytes: number },
): Promise<LogRow[]> {
  const { rows } = await store.query<LogRow>(
    prepared(
      store,
      'read.page',
      `select ${ROW_COLUMNS.replace('bucket::text as bucket', 'bucket')} from (
         select *, sum(octet_length(payload)) over (order by seq rows unbounded preceding) - octet_length(payload) as ahead from (
        select ${ROW_COLUMNS} from ${table(store, 'message')}
        where exists (select from ${table(store, 'incarnation')} where one and id = $8) and destination = $1 and lane = $2 and seq > $5 and seq <= $6
          and not pg_visible_in_snapshot(xid, $3::pg_snapshot) and pg_visible_in_snapshot(xid, $4::pg_snapshot)
        order by seq limit $7) page) bounded where ahead < $9 order by seq`,
      [destination, lane, at.snap, at.target, at.progress, at.high, batch, incarnation, batchBytes],
    ),
  );
  return rows;
}
