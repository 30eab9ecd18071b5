import { type Store, table } from '@tidings/core';
import type { ParkedPlace } from '../parked-identity';

/** By the index of places; the first one found will do. */
export async function hasParkedKeys(store: Store, { direction, place }: ParkedPlace): Promise<boolean> {
  const { rows } = await store.query<{ found: boolean }>({
    text: `select exists (select from ${table(store, 'parked_key')} where direction = $1 and place = $2) as found`,
    values: [direction, place],
  });
  return rows[0]!.found;
}
