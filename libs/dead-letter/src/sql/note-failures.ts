import { type FailureRecord, type Store, table } from '@tidings/core';
import { storedFailures } from '../stored-failures';

export async function noteFailures(store: Store, letterKey: Buffer, failures: readonly FailureRecord[]): Promise<void> {
  await store.query({
    text: `insert into ${table(store, 'failed_attempt')} (letter_key, failures) values ($1, $2::jsonb)`,
    values: [letterKey, storedFailures(failures)],
  });
}
