import { type Store, table } from '@tidings/core';

export async function endAttempt(store: Store, letterKey: Buffer): Promise<void> {
  await store.query({ text: `delete from ${table(store, 'attempt')} where letter_key = $1`, values: [letterKey] });
}
