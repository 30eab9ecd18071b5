import { type Queryable, type Store, table } from '@tidings/core';

export const recordMigration = (on: Queryable, store: Pick<Store, 'schema'>, id: string): Promise<unknown> =>
  on.query({ text: `insert into ${table(store, 'migration')} (id) values ($1)`, values: [id] });
