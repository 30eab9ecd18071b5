import { type Store, table } from '@tidings/core';

/** The buckets that still have a table although the horizon has passed them, oldest first. */
export async function listExpiredBuckets(store: Store): Promise<string[]> {
  const { rows } = await store.query<{ bucket: string }>({
    text: `select bucket from (
        select regexp_replace(c.relname, '^inbox_(\\d{4})(\\d{2})(\\d{2})$', '\\1-\\2-\\3') as bucket
          from pg_inherits p join pg_class c on c.oid = p.inhrelid
         where p.inhparent = to_regclass($1) and c.relname ~ '^inbox_\\d{8}$') b
      where bucket::date < (select oldest from ${table(store, 'inbox_horizon')})
      order by bucket`,
    values: [table(store, 'inbox')],
  });
  return rows.map(({ bucket }) => bucket);
}
