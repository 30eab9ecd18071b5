import { type Store, table } from '@tidings/core';

/** For how long a letter has been settled, by the database's clock. */
export async function measureSettled(store: Store, id: string): Promise<number> {
  const { rows } = await store.query<{ ms: string | null }>({
    text: `select (extract(epoch from ${table(store, 'now')}() - settled_at) * 1000)::text as ms from ${table(store, 'dead_letter')} where id = $1::bigint`,
    values: [id],
  });
  return Number(rows[0]?.ms ?? Infinity);
}
