import { type Store, table } from '@tidings/core';

/** Who reads a topic: the groups of a PostgreSQL subscription, and `relay`. */
export async function listReaders(store: Store, transport: string, topic: string): Promise<string[]> {
  const { rows } = await store.query<{ name: string }>({
    text: `select r.name from ${table(store, 'reader')} r join ${table(store, 'destination')} d on d.id = r.destination
            where (d.transport, d.topic, d.audience) = ($1, $2, '') order by r.name`,
    values: [transport, topic],
  });
  return rows.map(({ name }) => name);
}
