import { type Store, table } from '@tidings/core';

/** The letter of that identity: its id and reason. */
export async function findLetterByIdentity(
  store: Store,
  letterKey: Buffer,
): Promise<{ readonly id: string; readonly reason: string } | undefined> {
  const { rows } = await store.query<{ id: string; reason: string }>({
    text: `select id::text, reason from ${table(store, 'dead_letter')} where letter_key = $1`,
    values: [letterKey],
  });
  return rows[0];
}
