import { asError, createClock, type Migration, quoted, type Queryable, type Store, TidingsError } from '@tidings/core';
import { createMigrationTable } from './sql/create-migration-table';
import { createSchema } from './sql/create-schema';
import { hasMigrationTable } from './sql/has-migration-table';
import { hasSchema } from './sql/has-schema';
import { lockMigrations } from './sql/lock-migrations';
import { readAppliedMigrations } from './sql/read-applied-migrations';
import { recordMigration } from './sql/record-migration';

/** A migration failed; nothing of its run was applied. */
export class MigrationError extends TidingsError {
  constructor(
    readonly migration: string,
    readonly schema: string,
    options: { readonly cause: Error },
  ) {
    super(
      'TIDINGS_MIGRATION',
      `migration ${migration} of schema ${schema} failed: ${options.cause.message}; nothing of this run was applied`,
      options,
    );
  }
}

/** The clock first: every other table may use it. An id that two lists share is applied once. */
const inOrder = (migrations: readonly Migration[]): Migration[] => [
  ...new Map([createClock, ...migrations].map((migration) => [migration.id, migration])).values(),
];

/** Applies what is missing, inside the transaction that `on` is. Waits while another process migrates the same schema. */
export async function applyMigrations(
  on: Queryable,
  schema: string,
  migrations: readonly Migration[],
): Promise<string[]> {
  await lockMigrations(on, { schema });
  if (!(await hasSchema(on, { schema }))) await createSchema(on, { schema });
  if (!(await hasMigrationTable(on, { schema }))) await createMigrationTable(on, { schema });
  const applied = await readAppliedMigrations(on, { schema });
  const missing = inOrder(migrations).filter(({ id }) => !applied.has(id));
  for (const { id, up } of missing) {
    try {
      await on.query({ text: up(quoted(schema)) });
      await recordMigration(on, { schema }, id);
    } catch (thrown) {
      throw new MigrationError(id, schema, { cause: asError(thrown) });
    }
  }
  return missing.map(({ id }) => id);
}

/**
 * Creates the store's schema and applies the migrations that it lacks, in the order given, all in one transaction. Resolves with the ids that this
 * call applied. Idempotent, and safe from several processes at once: one applies, the others wait and find nothing to do.
 *
 * @throws MigrationError that names the migration; nothing of the run was applied.
 */
export const migrate = (store: Store, migrations: readonly Migration[]): Promise<string[]> =>
  store.run((transaction) => applyMigrations(transaction, store.schema, migrations));

/** The ids that `migrate` would apply now. Changes nothing. */
export async function pendingMigrations(store: Store, migrations: readonly Migration[]): Promise<string[]> {
  const applied = (await hasMigrationTable(store, store))
    ? await readAppliedMigrations(store, store)
    : new Set<string>();
  return inOrder(migrations)
    .map(({ id }) => id)
    .filter((id) => !applied.has(id));
}
