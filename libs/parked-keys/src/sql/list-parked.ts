import { type Store, table } from '@tidings/core';

/** Of these identities, those that are parked, in hexadecimal. By the unique index, on a table that is empty nearly always. */
export async function listParked(store: Store, identities: readonly Buffer[]): Promise<ReadonlySet<string>> {
  const { rows } = await store.query<{ identity: string }>({
    text: `select encode(identity, 'hex') as identity from ${table(store, 'parked_key')} where identity = any($1::bytea[])`,
    values: [identities],
  });
  return new Set(rows.map(({ identity }) => identity));
}
