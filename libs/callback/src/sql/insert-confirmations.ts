import { type Queryable, type Store, table } from '@tidings/core';
import type { Confirmation } from '../callback.contracts';
import { messageDigest } from '../message-digest';

/**
 * Files confirmations, each once. Resolves with how many of them are false alarms: new ones of a group that the message was sent to again although it
 * had handled it. A group that knew what was sent again had handled the first sending; so had one that confirms the first after it was sent again. No two
 * clocks are compared.
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
    text: `with told as (
        select distinct on (j.digest, j."group") decode(j.digest, 'hex') as digest, j."group" as group_name, j.bucket, j.copy, j.resent, j."sentAt" as sent_at, j.at
          from jsonb_to_recordset($1::jsonb)
            j("sentAt" timestamptz, at timestamptz, bucket date, copy boolean, resent boolean, digest text, "group" text)
         where j.bucket >= (${table(store, 'now')}() at time zone 'UTC')::date - $2::int
         order by j.digest, j."group", j.copy, j.at),
      inserted as (
        insert into ${table(store, 'callback_confirmation')} (sent_at, confirmed_at, bucket, copy, digest, group_name)
        select sent_at, at, bucket, copy, digest, group_name from told on conflict do nothing returning digest, group_name)
      select count(*) as n from inserted join told using (digest, group_name)
       where (resent and copy) or (not resent and exists (
         select from ${table(store, 'callback_check')} c where c.digest = told.digest and told.group_name = any(c.resent_groups)))`,
    values: [JSON.stringify(rows), retentionDays],
  });
  return Number(counted[0]?.n ?? 0);
}
