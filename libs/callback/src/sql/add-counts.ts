import { type Queryable, type Store, table } from '@tidings/core';

/** In the order of their names, so that two that add at once cannot wait for each other. */
export async function addCounts(store: Store, on: Queryable, counts: Readonly<Record<string, number>>): Promise<void> {
  const names = Object.keys(counts).filter((name) => counts[name] !== 0).sort(); // prettier-ignore
  if (names.length === 0) return;
  await on.query({
    text: `insert into ${table(store, 'callback_count')} as c (name, n)
      select name, n from unnest($1::text[], $2::bigint[]) with ordinality u(name, n, o) order by o
      on conflict (name) do update set n = c.n + excluded.n`,
    values: [names, names.map((name) => counts[name])],
  });
}
