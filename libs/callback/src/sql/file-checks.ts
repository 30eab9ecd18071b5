import { type Message, type Queryable, type Store, table } from '@tidings/core';
import type { RecheckPayload } from '../callback.contracts';
import { messageDigest } from '../message-digest';
import { missingGroups } from '../missing-groups';

export interface ArrivedRecheck {
  readonly message: Message;
  readonly payload: RecheckPayload;
}

/**
 * Files a check for each message that is not confirmed by all, or not due yet. One that is filed already is left as it is: a recheck may come twice.
 * Resolves with how many were filed.
 */
export async function fileChecks(
  store: Store,
  on: Queryable,
  arrived: readonly ArrivedRecheck[],
  graceMs: number,
): Promise<number> {
  const rows = arrived.map(({ message, payload }) => ({
    digest: messageDigest(payload.source, payload.id).toString('hex'),
    type: payload.type,
    sent_at: payload.time,
    groups: payload.groups,
    after_ms: payload.afterMs,
    recheck_id: message.id,
    recheck_source: message.source,
    recheck_generation: message.generation,
    recheck_bucket: message.bucket,
    recheck_time: message.time,
    payload,
  }));
  const now = `${table(store, 'now')}()`;
  const { rowCount } = await on.query({
    text: `insert into ${table(store, 'callback_check')}
        (digest, type, sent_at, groups, due_at, recheck_id, recheck_source, recheck_generation, recheck_bucket, recheck_time, payload)
      select distinct on (r.digest) r.digest, r.type, r.sent_at, r.groups, ${now} + r.wait_ms * interval '1 ms',
             r.recheck_id, r.recheck_source, r.recheck_generation, r.recheck_bucket, r.recheck_time, r.payload
        from (select decode(j.digest, 'hex') as digest, j.type, j.sent_at, j.groups, j.after_ms,
                     case when j.after_ms > 0 then j.after_ms else $2::float8 end as wait_ms,
                     j.recheck_id, j.recheck_source, j.recheck_generation, j.recheck_bucket, j.recheck_time, j.payload
                from jsonb_to_recordset($1::jsonb) j(digest text, type text, sent_at timestamptz, groups text[], after_ms float8, recheck_id text,
                     recheck_source text, recheck_generation int, recheck_bucket date, recheck_time text, payload jsonb)) r
       where r.after_ms > 0 or cardinality(${missingGroups(store, 'r')}) > 0
      on conflict (digest) do nothing`,
    values: [JSON.stringify(rows), graceMs],
  });
  return rowCount;
}
