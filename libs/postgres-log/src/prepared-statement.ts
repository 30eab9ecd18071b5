import type { Statement, Store } from '@tidings/core';

/** PostgreSQL cuts identifiers at 63 bytes; a cut name could mean two statements. */
const LONGEST_NAME = 63;

/** A prepared statement of the log. Its name carries the schema, for two stores may share the user's connections. */
export function prepared(
  store: Pick<Store, 'schema'>,
  name: string,
  text: string,
  values: readonly unknown[],
): Statement {
  const full = `${store.schema}.${name}`;
  return Buffer.byteLength(full) <= LONGEST_NAME ? { name: full, text, values } : { text, values };
}
