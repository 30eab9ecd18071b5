import { type Queryable, type Store, table } from '@tidings/core';
import type { Confirmation } from '../callback.contracts';
import { messageDigest } from '../message-digest';

/**
 * Files confirmations, each once. Resolves with how many of them are false alarms: new ones of a group that the message was sent to again although it
 * had handled it, by what it says itself (a copy), or by the time of its handling.
 */
export async function insertConfirmations(
  store: Store,
  on: Queryable,
  confirmations: readonly Confirmation[],
  retentionDays: number,
): Promise<number> {
  const rows = confirmations.map(({ source, id, ...rest }) => ({
    ...rest,
    digest: messageDigest(source, id).toString('hex'),
  }));
  const { rows: counted } = await on.query<{ n: string }>({
    text: `with inserted as (
        insert into ${table(store, 'callback_confirmation')} (sent_at, confirmed_at, bucket, copy, digest, group_name)
        select distinct on (j.digest, j."group") j."sentAt", j.at, j.bucket, j.copy, decode(j.digest, 'hex'), j."group"
          from jsonb_to_recordset($1::jsonb) j("sentAt" timestamptz, at timestamptz, bucket date, copy boolean, digest text, "group" text)
         where j.bucket >= (${table(store, 'now')}() at time zone 'UTC')::date - $2::int
         order by j.digest, j."group", j.at
        on conflict do nothing
        returning digest, group_name, copy, confirmed_at)
      select count(*) as n from inserted i join ${table(store, 'callback_check')} c on c.digest = i.digest
       where i.group_name = any(c.resent_groups) and (i.copy or i.confirmed_at < c.resent_at)`,
    values: [JSON.stringify(rows), retentionDays],
  });
  return Number(counted[0]?.n ?? 0);
}
