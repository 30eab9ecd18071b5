import type { Queryable, Store } from '@tidings/core';

/** Held until the transaction ends; waits for another process that migrates the same schema. */
export const lockMigrations = (on: Queryable, { schema }: Pick<Store, 'schema'>): Promise<unknown> =>
  on.query({
    text: `select pg_advisory_xact_lock(hashtextextended('tidings migrations of ' || $1, 0))`,
    values: [schema],
  });
