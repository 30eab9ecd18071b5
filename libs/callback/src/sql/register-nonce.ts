import { type Store, table } from '@tidings/core';

/** True once for a nonce of a bucket; a copy in another process waits for the first, and finds it there. */
export async function registerNonce(store: Store, digest: Buffer, bucket: string): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `insert into ${table(store, 'callback_nonce')} (digest, bucket) values ($1, $2::date) on conflict do nothing`,
    values: [digest, bucket],
  });
  return rowCount === 1;
}
