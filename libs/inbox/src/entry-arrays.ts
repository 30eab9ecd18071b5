import type { Store } from '@tidings/core';
import { bucketTable, FOREIGN_BUCKET } from './bucket';
import type { InboxEntry } from './inbox-entry';
import { literal } from './inbox-sql';

/** Entries of one subscription as parameters $1 to $6: the subscription, then an array a column, with the entry's place in the list as `n`. */
export const entryArrays = (entries: readonly InboxEntry[]): readonly unknown[] => [
  entries[0]?.subscription,
  entries.map((_, n) => n),
  entries.map(({ digest }) => digest),
  entries.map(({ generation }) => generation),
  entries.map(({ bucket }) => bucket ?? FOREIGN_BUCKET),
  entries.map(({ fingerprint }) => fingerprint),
];

/** Those parameters as rows `e`. */
export const ENTRY_ROWS =
  'unnest($2::int[], $3::bytea[], $4::int[], $5::date[], $6::bytea[]) as e (n, digest, generation, bucket, fingerprint)';

/** The buckets of the entries in their order, each with its table and its value as SQL: all processes go through them in the same order. */
export function bucketsOf(store: Store, entries: readonly InboxEntry[]): { table: string; value: string }[] {
  const foreign = entries.some(({ bucket }) => bucket === null);
  const days = [...new Set(entries.flatMap(({ bucket }) => bucket ?? []))].sort();
  return [...days, ...(foreign ? [null] : [])].map((bucket) => ({
    table: bucketTable(store, bucket),
    value: `date ${literal(bucket ?? FOREIGN_BUCKET)}`,
  }));
}
