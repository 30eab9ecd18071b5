import type { Store } from '@tidings/core';

/** Wakes the listeners of a channel, in a transaction of its own: inside the business transaction a NOTIFY would serialise commits. */
export async function notifyReaders(store: Store, channel: string, payload: string): Promise<void> {
  await store.query({ text: 'select pg_notify($1, $2)', values: [channel, payload] });
}
