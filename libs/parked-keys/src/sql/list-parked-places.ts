import { type Store, table } from '@tidings/core';
import type { Direction } from '../parked-identity';

/** Where keys are parked, by the index of places: one step a place, however many keys it has. */
export async function listParkedPlaces(store: Store, direction: Direction): Promise<string[]> {
  const { rows } = await store.query<{ place: string }>({
    text: `with recursive places as (
        (select place from ${table(store, 'parked_key')} where direction = $1 order by place limit 1)
        union all
        select next.place from places p cross join lateral (
          select place from ${table(store, 'parked_key')} k where k.direction = $1 and k.place > p.place order by place limit 1) next)
      select place from places`,
    values: [direction],
  });
  return rows.map(({ place }) => place);
}
