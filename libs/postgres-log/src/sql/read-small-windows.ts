import { type Store, table } from '@tidings/core';
import { ROW_COLUMNS, type LogRow } from '../log-row';
import { prepared } from '../prepared-statement';

export interface Asked {
  readonly reader: number;
  readonly destination: number;
  readonly lane: number;
  readonly snap: string;
  readonly incarnation: string;
}

export interface SmallWindows {
  /** The statement's own snapshot: the windows' upper bound. */
  readonly target: string;
  readonly rows: readonly (LogRow & {
    readonly reader: number;
    readonly lane: number;
    /** There is more than a batch may hold: the row is not the first, it only says so. */
    readonly large: boolean;
  })[];
}

/**
 * The windows of many lanes at once, at most `batch` rows and about `bytes` of payload each; of a larger window one row, marked. The statement's own snapshot is the target, so plain MVCC visibility is the upper
 * bound. Two narrow index ranges a lane: flat however long another transaction stays open, next to nothing for an idle lane. Without the second
 * one (the xids that were running in `snap`) late commits are lost: 3,025 of a proof's messages. A lane of another incarnation has none:
 * it is lost at its next renewal.
 */
export async function readSmallWindows(
  store: Store,
  asked: readonly Asked[],
  { batch, batchBytes }: { readonly batch: number; readonly batchBytes: number },
): Promise<SmallWindows> {
  const message = table(store, 'message');
  const { rows } = await store.query<
    LogRow & { reader: number | null; lane: number; target: string | null; large: boolean }
  >(
    prepared(
      store,
      'read.small',
      `select case when row_number() over (order by w.reader, w.lane, w.seq) = 1 then pg_current_snapshot()::text end as target, w.*
         from (values (1)) one left join (
           select a.reader, a.lane, b.*
             from unnest($1::int[], $2::int[], $3::smallint[], $4::pg_snapshot[], $6::uuid[]) a(reader, destination, lane, snap, incarnation)
             join ${table(store, 'incarnation')} i on i.one and i.id = a.incarnation, lateral (
               select f.*, count(*) over () >= $5 or sum(octet_length(payload)) over () > $7 as large, row_number() over () as nth from (
               select ${ROW_COLUMNS} from ${message} m
                where m.destination = a.destination and m.lane = a.lane and m.xid >= pg_snapshot_xmax(a.snap)
               union all
               select ${ROW_COLUMNS} from pg_snapshot_xip(a.snap) x, lateral (
                 select * from ${message} m where m.destination = a.destination and m.lane = a.lane and m.xid = x) late
               limit $5) f) b where not b.large or b.nth = 1) w on true
        order by w.reader, w.lane, w.seq`,
      [
        asked.map((a) => a.reader),
        asked.map((a) => a.destination),
        asked.map((a) => a.lane),
        asked.map((a) => a.snap),
        batch + 1,
        asked.map((a) => a.incarnation),
        batchBytes,
      ],
    ),
  );
  const found = rows.filter((row): row is typeof row & { reader: number } => row.reader !== null);
  return { target: rows[0]!.target!, rows: found };
}
