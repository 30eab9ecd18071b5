import { type Store, table } from '@tidings/core';

export async function readCounts(store: Store): Promise<Readonly<Record<string, number>>> {
  const { rows } = await store.query<{ name: string; n: string }>({
    text: `select name, n from ${table(store, 'callback_count')}`,
  });
  return Object.fromEntries(rows.map(({ name, n }) => [name, Number(n)]));
}
