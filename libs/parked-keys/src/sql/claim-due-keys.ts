import { type Store, table } from '@tidings/core';
import type { Direction } from '../parked-identity';

export interface ClaimedKey {
  readonly id: string;
  readonly epoch: string;
  readonly place: string;
}

export interface Claim {
  readonly keys: readonly ClaimedKey[];
  /** Until the next one of these places is due that was not taken, 0 for one that is; undefined when none waits. */
  readonly nextMs: number | undefined;
}

/**
 * Takes the keys that have been due for longest, up to `limit`: their due time becomes the lease's end, and the epoch rises. A page of each place by
 * its index, so that a place with many due keys keeps no other waiting.
 */
export async function claimDueKeys(
  store: Store,
  direction: Direction,
  places: readonly string[],
  owner: string,
  leaseMs: number,
  limit: number,
): Promise<Claim> {
  const parked = table(store, 'parked_key');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<{
    id: string | null;
    epoch: string;
    place: string;
    next_ms: number | string | null;
  }>({
    text: `with page as materialized (
        select one.id, one.due_at from unnest($2::text[]) p(place) cross join lateral (
          select id, due_at from ${parked} k where k.direction = $1 and k.place = p.place and k.state = 'waiting' and k.due_at <= ${now}
           order by k.due_at limit $5 for update skip locked) one),
      claimed as (
        update ${parked} k set owner = $3, epoch = epoch + 1, due_at = ${now} + $4 * interval '1 ms'
          from (select id from page order by due_at limit $5) due where k.id = due.id
        returning k.id, k.epoch, k.place)
      select id::text, epoch::text, place, null::float8 as next_ms from claimed
      union all
      select null, null, null, extract(epoch from min(soon.due_at) - ${now}) * 1000
        from unnest($2::text[]) p(place) cross join lateral (
          select due_at from ${parked} k where k.direction = $1 and k.place = p.place and k.state = 'waiting'
             and k.id <> all (array(select id from claimed)) order by k.due_at limit 1) soon`,
    values: [direction, places, owner, leaseMs, limit],
  });
  const next = rows.find(({ id }) => id === null)?.next_ms;
  return {
    keys: rows.flatMap(({ id, epoch, place }) => (id === null ? [] : [{ id, epoch, place }])),
    nextMs: next === null || next === undefined ? undefined : Math.max(0, Number(next)),
  };
}
