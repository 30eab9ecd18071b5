import { type Store, table } from '@tidings/core';
import type { Held } from '../held-lane';

/** Gives leases back at once, guarded by the epoch. */
export async function releaseCursors(store: Store, held: readonly Held[]): Promise<void> {
  await store.query({
    text: `update ${table(store, 'cursor')} c set lease_until = '-infinity'
      from unnest($1::int[], $2::smallint[], $3::bigint[]) h(reader, lane, epoch)
      where c.reader = h.reader and c.lane = h.lane and c.epoch = h.epoch`,
    values: [held.map((h) => h.reader), held.map((h) => h.lane), held.map((h) => h.epoch)],
  });
}
