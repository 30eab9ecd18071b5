import { type RetryBudget, type Store, table } from '@tidings/core';

/**
 * Takes a token, and answers in how many milliseconds it is there: 0, or more when all were taken. Those who take at once queue by the row. None is
 * further away than `maxWaitMs`. `first` is the token of somebody who finds the bucket full.
 */
export async function takeRetryToken(
  store: Store,
  name: string,
  { perSecond, burst, maxWaitMs }: Required<Omit<RetryBudget, 'name'>>,
): Promise<number> {
  const { rows } = await store.query<{ wait_ms: number }>({
    text: `with t as materialized (
        select at, at - make_interval(secs => ($3::float8 - 1) * $2::float8) as first, make_interval(secs => $2::float8) as pace
          from (select ${table(store, 'now')}() as at) clock)
      insert into ${table(store, 'retry_budget')} as b (name, next_at) select $1, first + pace from t
      on conflict (name) do update set next_at =
        (select least(greatest(b.next_at, first), at + make_interval(secs => $4::float8 / 1000)) + pace from t)
      returning greatest(0, extract(epoch from next_at - (select at + pace from t)) * 1000)::float8 as wait_ms`,
    values: [name, 1 / perSecond, burst, maxWaitMs],
  });
  return Math.ceil(rows[0]!.wait_ms);
}
