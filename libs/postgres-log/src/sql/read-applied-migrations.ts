import { type Store, table } from '@tidings/core';

const UNDEFINED_TABLE = '42P01';

/** The ids that the schema's record has; none where there is no schema, or no record in it. */
export async function readAppliedMigrations(store: Store): Promise<ReadonlySet<string>> {
  try {
    const { rows } = await store.query<{ id: string }>({ text: `select id from ${table(store, 'migration')}` });
    return new Set(rows.map(({ id }) => id));
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === UNDEFINED_TABLE) return new Set();
    throw thrown;
  }
}
