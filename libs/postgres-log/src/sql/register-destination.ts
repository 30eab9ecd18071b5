import { type Store, table } from '@tidings/core';

/**
 * The number of a destination, registered if it is new. Undefined when another process registered it at the same moment, later than this
 * statement's snapshot: ask again.
 */
export async function registerDestination(
  store: Store,
  transport: string,
  topic: string,
  audience: string,
): Promise<number | undefined> {
  const destination = table(store, 'destination');
  const { rows } = await store.query<{ id: number }>({
    text: `with made as (
        insert into ${destination} (transport, topic, audience)
        select $1, $2, $3 where not exists (select from ${destination} where (transport, topic, audience) = ($1, $2, $3))
        on conflict do nothing returning id)
      select id from made union all select id from ${destination} where (transport, topic, audience) = ($1, $2, $3)`,
    values: [transport, topic, audience],
  });
  return rows[0]?.id;
}
