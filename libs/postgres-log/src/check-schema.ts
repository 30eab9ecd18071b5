import { createClock, type Migration, type Store } from '@tidings/core';
import { postgresLogMigrations } from './migrations';
import { SchemaError } from './schema.error';
import { readAppliedMigrations } from './sql/read-applied-migrations';

const packageOf = (id: string): string => id.slice(0, id.indexOf('/'));
/** `inbox/0004!-…`: see `Migration.id`. */
const isBreaking = (id: string): boolean => /^[^/]+\/\d+!-/.test(id);

/**
 * Compares the schema's recorded migrations with those that this process is written for. What it lacks is refused. What this process does not know
 * is a newer deployment's, and welcome, so that N−1 runs on while N is rolled out; unless it is marked as breaking and belongs to a package that
 * this process uses.
 *
 * @throws SchemaError that names the migrations and the way out.
 */
export async function checkSchema(
  store: Store,
  migrations: readonly Migration[] = postgresLogMigrations,
): Promise<void> {
  const applied = await readAppliedMigrations(store);
  const needed = [createClock, ...migrations].map(({ id }) => id);
  const missing = needed.filter((id) => !applied.has(id));
  const used = new Set(needed.map(packageOf));
  const unknown = [...applied].filter((id) => isBreaking(id) && used.has(packageOf(id)) && !needed.includes(id));
  if (missing.length > 0 || unknown.length > 0) throw new SchemaError(store.schema, missing, unknown);
}
