import type { Queryable, Store } from '@tidings/core';

export async function hasSchema(on: Queryable, { schema }: Pick<Store, 'schema'>): Promise<boolean> {
  const { rows } = await on.query({ text: 'select 1 from pg_namespace where nspname = $1', values: [schema] });
  return rows.length > 0;
}
