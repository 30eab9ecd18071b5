import { type Queryable, type Store, table } from '@tidings/core';

export async function readAppliedMigrations(on: Queryable, store: Pick<Store, 'schema'>): Promise<Set<string>> {
  const { rows } = await on.query<{ id: string }>({ text: `select id from ${table(store, 'migration')}` });
  return new Set(rows.map(({ id }) => id));
}
