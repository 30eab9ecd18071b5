import { type Queryable, type Store, table } from '@tidings/core';
import { bucketTable, FOREIGN_BUCKET } from '../bucket';
import type { CheckedInboxOptions } from '../inbox.options';
import type { InboxEntry } from '../inbox-entry';
import { prepared, withinHorizon } from '../inbox-sql';

/**
 * Files an entry, or with `sealed` the mark that it must never be handled; true when the row is new. False when there is one already, or when the
 * bucket is outside the horizon: `findEntry` tells which.
 *
 * One round trip for four things. An entry that another transaction is filing just now makes the INSERT wait for that transaction's end, so
 * `lock_timeout` is set before the row is made, and put back once it is in, for the handler's own statements must not inherit it. (`before` is read
 * first because set_config depends on it.) The horizon is compared in the same snapshot: a bucket is dropped only after the transaction that raised
 * the horizon has committed and every insert into that bucket has ended, so a row that went in here is seen by whoever comes later, or his bucket
 * is refused.
 *
 * Fails with 42P01 when the bucket's table is missing, 55P03 when the wait was too long, class 22 when a value is none for its column.
 */
export async function registerEntry(
  store: Store,
  on: Queryable,
  entry: InboxEntry,
  { retentionDays, lockTimeoutMs }: CheckedInboxOptions,
  sealed = false,
): Promise<boolean> {
  const { rowCount } = await on.query(
    prepared(
      `with before as materialized (select current_setting('lock_timeout') as setting)
       insert into ${bucketTable(store, entry.bucket)} (digest, subscription, generation, bucket, fingerprint, sealed)
         select $1::bytea, $2::text, $3::int, $4::date, $5::bytea, $6::boolean
           from before cross join ${table(store, 'inbox_horizon')} h
          where ${withinHorizon(store, '$4::date', '$7::int')}
            and set_config('lock_timeout', case when before.setting is not null then $8 end, true) is not null
       on conflict do nothing
       returning set_config('lock_timeout', (select setting from before), true)`,
      [
        entry.digest,
        entry.subscription,
        entry.generation,
        entry.bucket ?? FOREIGN_BUCKET,
        entry.fingerprint,
        sealed || null,
        retentionDays,
        `${lockTimeoutMs}ms`,
      ],
    ),
  );
  return rowCount === 1;
}
