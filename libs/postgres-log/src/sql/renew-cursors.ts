import { type Store, table } from '@tidings/core';
import type { Held } from '../held-lane';

export interface KeptRow {
  readonly reader: number;
  readonly lane: number;
  readonly tid: string;
}

/** Renews the leases still ours; one that is missing in the answer is lost, as all are when the server crashed. Advancing renews too, so this is for lanes without traffic. */
export async function renewCursors(store: Store, held: readonly Held[], leaseMs: number): Promise<KeptRow[]> {
  const { rows } = await store.query<KeptRow>({
    text: `update ${table(store, 'cursor')} c set lease_until = ${table(store, 'now')}() + $1 * interval '1 ms'
      from ${table(store, 'incarnation')} i, unnest($2::int[], $3::smallint[], $4::bigint[], $5::uuid[]) h(reader, lane, epoch, incarnation)
      where i.one and i.id = h.incarnation and c.reader = h.reader and c.lane = h.lane and c.epoch = h.epoch and c.lease_until > '-infinity'
      returning c.reader, c.lane, c.ctid::text as tid`,
    values: [
      leaseMs,
      held.map((h) => h.reader),
      held.map((h) => h.lane),
      held.map((h) => h.epoch),
      held.map((h) => h.incarnation),
    ],
  });
  return rows;
}
