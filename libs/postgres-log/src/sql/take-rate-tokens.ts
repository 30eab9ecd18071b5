import { type RateLimit, type Store, table } from '@tidings/core';

/** Takes `count` tokens, and answers in how many milliseconds the last of them is there: 0, or more when the bucket is empty. Who asks first is served first. */
export async function takeRateTokens(
  store: Store,
  name: string,
  { perSecond, burst }: Required<RateLimit>,
  count: number,
): Promise<number> {
  const { rows } = await store.query<{ wait_ms: number }>({
    text: `with t as materialized (
        select at, at - make_interval(secs => $3::float8 * $2::float8) as full_since, make_interval(secs => $4::float8 * $2::float8) as taken
          from (select ${table(store, 'now')}() as at) clock)
      insert into ${table(store, 'rate_bucket')} as b (name, next_at) select $1, full_since + taken from t
      on conflict (name) do update set next_at = (select greatest(b.next_at, full_since) + taken from t)
      returning greatest(0, extract(epoch from next_at - (select at from t)) * 1000)::float8 as wait_ms`,
    values: [name, 1 / perSecond, burst, count],
  });
  return Math.ceil(rows[0]!.wait_ms);
}
