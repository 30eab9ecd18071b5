import { type Store, table } from '@tidings/core';

/** Whoever else took it at the same time may have deleted it already. */
export async function deleteNativeDeadLetter(store: Store, id: string): Promise<void> {
  await store.query({
    text: `delete from ${table(store, 'native_dead_letter')} where id = $1::bigint`,
    values: [id],
  });
}
