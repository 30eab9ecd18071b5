import { type Queryable, type Store, table } from '@tidings/core';
import { bucketTable, FOREIGN_BUCKET } from '../bucket';
import type { InboxEntry } from '../inbox-entry';
import { horizon, withinHorizon } from '../inbox-sql';

export interface FoundEntry {
  readonly inside: boolean;
  readonly horizon: string;
  /** Null when there is no row (any more). */
  readonly fingerprint: Buffer | null;
  readonly sealed: boolean | null;
}

/** What became of an entry that could not be registered. */
export async function findEntry(
  store: Store,
  on: Queryable,
  entry: InboxEntry,
  retentionDays: number,
): Promise<FoundEntry> {
  const { rows } = await on.query<FoundEntry>({
    text: `select ${withinHorizon(store, '$4::date', '$5::int')} as inside, to_char(${horizon(store, '$5::int')}, 'YYYY-MM-DD') as horizon,
        i.fingerprint, i.sealed
      from ${table(store, 'inbox_horizon')} h
      left join ${bucketTable(store, entry.bucket)} i
        on i.digest = $1::bytea and i.subscription = $2 and i.generation = $3::int and i.bucket = $4::date`,
    values: [entry.digest, entry.subscription, entry.generation, entry.bucket ?? FOREIGN_BUCKET, retentionDays],
  });
  return rows[0]!;
}
