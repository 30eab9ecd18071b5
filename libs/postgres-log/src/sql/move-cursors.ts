import { type Store, table } from '@tidings/core';
import type { HeldLane } from '../held-lane';
import type { Position } from '../position';
import type { KeptRow } from './renew-cursors';
import { prepared } from '../prepared-statement';

export interface Move {
  readonly lane: HeldLane;
  readonly to: Position;
}

/**
 * Moves cursors whose epoch is still ours and renews their leases. By ctid: constant cost while a transaction pins the horizon (0.20 → 0.22 ms,
 * where a primary key grew to 0.50). `byScan` is for a row whose place changed (a renewal crossed, VACUUM FULL). A missing row is a lost lane, and so is every one after a crash of the server.
 *
 * Commits without waiting for the disk (median 7.5 → 1.3 ms a move on a busy one): a database crash may take back the last moves, about half a
 * second of them, and then the next owner repeats what they had passed, with the same sequences, as after a crash just before the move. Taking a lane and
 * emptying a segment do wait, and with them every move before: no epoch is given twice, nothing unread is emptied.
 */
export async function moveCursors(
  store: Store,
  moves: readonly Move[],
  leaseMs: number,
  byScan: boolean,
): Promise<KeptRow[]> {
  const { rows } = await store.query<KeptRow>(
    prepared(
      store,
      byScan ? 'cursor.scan' : 'cursor.move',
      `update ${table(store, 'cursor')} c
          set snap = m.snap, target = m.target, progress = m.progress, high = m.high, count = m.count,
              lease_until = ${table(store, 'now')}() + $1 * interval '1 ms'
         from unnest($2::int[], $3::smallint[], $4::bigint[], $5::pg_snapshot[], $6::pg_snapshot[], $7::bigint[], $8::bigint[], $9::bigint[], $10::uuid[])
              m(reader, lane, epoch, snap, target, progress, high, count, incarnation),
              ${table(store, 'incarnation')} i,
              (select set_config('synchronous_commit', 'off', true) as setting offset 0) hasty
        where ${byScan ? '$11::text[] is not null' : 'c.ctid = any($11::tid[])'}
          and i.one and i.id = m.incarnation and c.reader = m.reader and c.lane = m.lane and c.epoch = m.epoch and hasty.setting is not null
        returning c.reader, c.lane, c.ctid::text as tid`,
      [
        leaseMs,
        moves.map(({ lane }) => lane.reader),
        moves.map(({ lane }) => lane.lane),
        moves.map(({ lane }) => lane.epoch),
        moves.map(({ to }) => to.snap),
        moves.map(({ to }) => to.target),
        moves.map(({ to }) => to.progress),
        moves.map(({ to }) => to.high),
        moves.map(({ to }) => to.count),
        moves.map(({ lane }) => lane.incarnation),
        moves.map(({ lane }) => lane.tid),
      ],
    ),
  );
  return rows;
}
