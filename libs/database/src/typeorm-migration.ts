import { type Migration, OptionsError, quoted, type Statement, TidingsError } from '@tidings/core';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { applyMigrations } from './migrator';

/**
 * Tidings' migrations as one class for TypeORM's `migration:run`, for teams that keep all their migrations in one place:
 *
 * `export const CreateTidings1760000000000 = typeormMigration('CreateTidings1760000000000', [...postgresLogMigrations, ...inboxMigrations]);`
 *
 * It records in Tidings' own table too, so `migrate` and a later class of this kind apply only what is new.
 *
 * @throws OptionsError when the name does not end in a timestamp of 13 digits, which TypeORM orders by.
 */
export function typeormMigration(
  name: string,
  migrations: readonly Migration[],
  { schema = 'tidings' }: { readonly schema?: string } = {},
): new () => MigrationInterface {
  if (!/\d{13}$/.test(name)) {
    throw new OptionsError(
      'typeormMigration.name',
      `expected a name that ends in a timestamp of 13 digits, as CreateTidings1760000000000, found ${name}`,
    );
  }
  return class implements MigrationInterface {
    readonly name = name;

    async up(runner: QueryRunner): Promise<void> {
      const query = async <Row>({ text, values }: Statement): Promise<{ rows: Row[]; rowCount: number }> => {
        const rows: unknown = await runner.query(text, values && [...values]);
        return { rows: Array.isArray(rows) ? (rows as Row[]) : [], rowCount: 0 };
      };
      await applyMigrations({ query }, schema, migrations);
    }

    /** Not automatic: it would delete every message, those not yet delivered too. */
    down(): Promise<void> {
      const way = `drop schema ${quoted(schema)} cascade`;
      return Promise.reject(
        new TidingsError(
          'TIDINGS_MIGRATION_DOWN',
          `${name}: Tidings does not migrate down; to lose all messages, run: ${way}`,
        ),
      );
    }
  };
}
