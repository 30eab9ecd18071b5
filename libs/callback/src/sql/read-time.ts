import { type Store, table } from '@tidings/core';

/** The database's time, RFC 3339: what the times of several processes are held against. */
export async function readTime(store: Store): Promise<string> {
  const { rows } = await store.query<{ at: string }>({
    text: `select to_char(${table(store, 'now')}() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  });
  return rows[0]!.at;
}
