import { type Queryable, type Store, table } from '@tidings/core';
import { storable, storableStory } from '../storable-text';
import type { AuditEntry } from '../stored-letter';

/** Tells what was done to a letter; at the given time when that was in another store. */
export async function insertAudit(
  store: Store,
  on: Queryable,
  letter: string,
  { at, by, action, reason, payload, headers }: Omit<AuditEntry, 'at'> & Partial<Pick<AuditEntry, 'at'>>,
): Promise<void> {
  await on.query({
    text: `insert into ${table(store, 'dead_letter_audit')} (letter, at, by, action, reason, payload, headers)
      values ($1::bigint, coalesce($2::timestamptz, ${table(store, 'now')}()), $3, $4, $5, $6::bytea, $7::json)`,
    values: [
      letter,
      at ?? null,
      storable(by),
      action,
      storableStory(reason),
      payload && Buffer.from(payload),
      headers && JSON.stringify(headers),
    ],
  });
}
