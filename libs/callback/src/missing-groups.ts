import { type Store, table } from '@tidings/core';

/** As SQL: the groups that are expected to confirm and have not, for a row `of` with digest, type, sent_at and groups. Looks into all buckets. */
export const missingGroups = (store: Pick<Store, 'schema'>, of: string): string =>
  `array(select e.g from unnest(coalesce(${of}.groups, array(
      select s.group_name from ${table(store, 'callback_subscription')} s where s.type = ${of}.type and s.since <= ${of}.sent_at))) e(g)
    where not exists (
      select from ${table(store, 'callback_confirmation')} k where k.digest = ${of}.digest and k.group_name = e.g) order by 1)`;
