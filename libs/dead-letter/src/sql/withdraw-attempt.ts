import { type Store, table } from '@tidings/core';

/** Only this process's own: another one may have begun it meanwhile. */
export async function withdrawAttempt(store: Store, letterKey: Buffer, instance: string): Promise<void> {
  await store.query({
    text: `update ${table(store, 'attempt')} set running = false where letter_key = $1 and instance = $2`,
    values: [letterKey, instance],
  });
}
