import { type Store, table, TidingsError } from '@tidings/core';

/** @throws TidingsError `TIDINGS_SCHEMA` with the way out when the log's tables are not there. */
export async function checkSchema(store: Store): Promise<void> {
  const { rows } = await store.query<{ found: boolean }>({
    text: 'select to_regclass($1) is not null as found',
    values: [table(store, 'message')],
  });
  if (rows[0]?.found) return;
  throw new TidingsError(
    'TIDINGS_SCHEMA',
    `schema ${store.schema} has no message log; run migrate(store, postgresLogMigrations) of @tidings/database, ` +
      "or set migrate: 'onStart' in MessagingModule's options",
  );
}
