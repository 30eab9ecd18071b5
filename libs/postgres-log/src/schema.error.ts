import { TidingsError } from '@tidings/core';

/** The tables are not the ones that this process is written for; it must not start. */
export class SchemaError extends TidingsError {
  constructor(
    readonly schema: string,
    /** Migrations that this process needs and the schema has not. */
    readonly missing: readonly string[],
    /** Breaking migrations that the schema has and this process does not know. */
    readonly unknown: readonly string[],
  ) {
    super('TIDINGS_SCHEMA', `schema ${schema} ${missing.length > 0 ? tooOld(missing) : tooNew(unknown)}`);
  }
}

const tooOld = (missing: readonly string[]): string =>
  `lacks ${missing.join(', ')}; run migrate(store, messagingMigrations) of @tidings/database before this version starts, ` +
  "or hand migrate to MessagingModule's options";

const tooNew = (unknown: readonly string[]): string =>
  `has ${unknown.join(', ')}, after which this version of Tidings cannot work on it; deploy the version that brought the migration`;
