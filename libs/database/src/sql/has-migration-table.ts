import { type Queryable, type Store, table } from '@tidings/core';

export async function hasMigrationTable(on: Queryable, store: Pick<Store, 'schema'>): Promise<boolean> {
  const { rows } = await on.query<{ there: boolean }>({
    text: 'select to_regclass($1) is not null as there',
    values: [table(store, 'migration')],
  });
  return rows[0]?.there === true;
}
