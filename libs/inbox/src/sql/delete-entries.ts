import type { Queryable, Store } from '@tidings/core';
import type { InboxEntry } from '../inbox-entry';
import { bucketsOf, entryArrays } from '../entry-arrays';

/** Takes back entries that this transaction has filed, of messages whose savepoint was rolled back. */
export async function deleteEntries(store: Store, on: Queryable, entries: readonly InboxEntry[]): Promise<void> {
  const deletes = bucketsOf(store, entries).map(
    ({ table: bucket, value }, index) => `gone_${index} as (
      delete from ${bucket} i using given g
       where g.bucket = ${value} and i.digest = g.digest and i.subscription = $1::text and i.generation = g.generation
         and i.bucket = g.bucket)`,
  );
  const [subscription, , digests, generations, days] = entryArrays(entries);
  await on.query({
    text: `with given as (
        select * from unnest($2::bytea[], $3::int[], $4::date[]) as e (digest, generation, bucket)), ${deletes.join(', ')} select`,
    values: [subscription, digests, generations, days],
  });
}
