import { type Store, table } from '@tidings/core';

export interface CursorRow {
  readonly tid: string;
  readonly reader: number;
  readonly lane: number;
  readonly epoch: string;
  readonly incarnation: string;
  readonly epoch_start: string;
  readonly count: string;
  readonly snap: string;
  readonly target: string | null;
  readonly progress: string | null;
  readonly high: string | null;
  /** The former owner did not hand the lane back: it may have died with a batch in hand. */
  readonly expired: boolean;
  /** False after a restore into another cluster, where transaction ids begin anew. */
  readonly usable: boolean;
}

/** Takes cursors whose lease is over by the database's clock; each take-over is a new epoch, which fences the former owner. */
export async function acquireCursors(
  store: Store,
  readers: readonly number[],
  owner: string,
  leaseMs: number,
  limit: number,
): Promise<CursorRow[]> {
  const cursor = table(store, 'cursor');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<CursorRow>({
    text: `with server as (insert into ${table(store, 'incarnation')} as i default values on conflict (one) do update set one = true returning i.id)
      update ${cursor} c set owner = $1, epoch = epoch + 1, epoch_start = count + 1, lease_until = ${now} + $2 * interval '1 ms'
      from (select ctid as tid, lease_until > '-infinity' as expired from ${cursor}
             where reader = any($4::int[]) and lease_until < ${now} order by lane, reader limit $3 for update skip locked) free, server
      where c.ctid = free.tid
      returning c.ctid::text as tid, reader, lane, epoch::text, server.id::text as incarnation, epoch_start::text, count::text, snap::text, target::text,
        progress::text, high::text, expired, pg_snapshot_xmax(snap) <= pg_snapshot_xmax(pg_current_snapshot()) as usable`,
    values: [owner, leaseMs, limit, readers],
  });
  return rows;
}
