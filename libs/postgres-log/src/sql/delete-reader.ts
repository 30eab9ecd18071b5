import { type Store, table } from '@tidings/core';

/** Forgets a reader and its cursors: a broadcast subscription that ends, or a group that an operator removes. */
export async function deleteReader(store: Store, reader: number): Promise<void> {
  await store.query({
    text: `with gone as (delete from ${table(store, 'cursor')} where reader = $1)
           delete from ${table(store, 'reader')} where id = $1`,
    values: [reader],
  });
}
