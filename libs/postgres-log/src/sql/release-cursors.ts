import { type Store, table } from '@tidings/core';
import type { HeldLane } from '../held-lane';

/**
 * Gives leases back at once, guarded by the epoch. A lane that leaves with a batch half done is left as if its lease had just run out: the next
 * owner then knows that some of it was handed on.
 */
export async function releaseCursors(store: Store, held: readonly HeldLane[]): Promise<void> {
  await store.query({
    text: `update ${table(store, 'cursor')} c set lease_until = case when h.suspect then ${table(store, 'now')}() - interval '1 ms' else '-infinity' end
      from unnest($1::int[], $2::smallint[], $3::bigint[], $4::boolean[]) h(reader, lane, epoch, suspect)
      where c.reader = h.reader and c.lane = h.lane and c.epoch = h.epoch`,
    values: [held.map((h) => h.reader), held.map((h) => h.lane), held.map((h) => h.epoch), held.map((h) => h.suspect)],
  });
}
