import { type Statement, type Store, table } from '@tidings/core';
import { bucketTable, FOREIGN_BUCKET } from '../bucket';
import type { CheckedInboxOptions } from '../inbox.options';
import type { InboxEntry } from '../inbox-entry';
import { prepared, withinHorizon } from '../inbox-sql';

/**
 * Files an entry, or with `sealed` the mark that it must never be handled; one row when the entry is new. None when there is one already, or when the
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
export function registeringEntries(
  store: Pick<Store, 'schema'>,
  { retentionDays, lockTimeoutMs }: CheckedInboxOptions,
): (entry: InboxEntry, sealed?: boolean) => Statement {
  const statementFor = perBucket((bucket) =>
    prepared(
      `with before as materialized (select current_setting('lock_timeout') as setting)
       insert into ${bucketTable(store, bucket)} (digest, subscription, generation, bucket, fingerprint, sealed)
         select $1::bytea, $2::text, $3::int, $4::date, $5::bytea, $6::boolean
           from before cross join ${table(store, 'inbox_horizon')} h
          where ${withinHorizon(store, '$4::date', '$7::int')}
            and set_config('lock_timeout', case when before.setting is not null then $8 end, true) is not null
       on conflict do nothing
       returning set_config('lock_timeout', (select setting from before), true)`,
      [],
    ),
  );
  const lockTimeout = `${lockTimeoutMs}ms`;
  return ({ digest, subscription, generation, bucket, fingerprint }, sealed = false) => ({
    ...statementFor(bucket),
    values: [
      digest,
      subscription,
      generation,
      bucket ?? FOREIGN_BUCKET,
      fingerprint,
      sealed || null,
      retentionDays,
      lockTimeout,
    ],
  });
}

/** Remembers the last one: nearly all messages are of today, and the text and the hash that names it took 5 µs a message. */
function perBucket(make: (bucket: string | null) => Statement): (bucket: string | null) => Statement {
  let last: { readonly bucket: string | null; readonly statement: Statement } | undefined;
  return (bucket) => (last?.bucket === bucket ? last : (last = { bucket, statement: make(bucket) })).statement;
}
