import { type Store, table } from '@tidings/core';

export interface DestinationRow {
  readonly id: number;
  readonly transport: string;
  readonly topic: string;
  /** Empty for every group of the topic. */
  readonly audience: string;
}

/** The destinations of some transports: what a relay has to serve. */
export async function listDestinations(store: Store, transports: readonly string[]): Promise<DestinationRow[]> {
  const { rows } = await store.query<DestinationRow>({
    text: `select id, transport, topic, audience from ${table(store, 'destination')} where transport = any($1::text[]) order by id`,
    values: [transports],
  });
  return rows;
}
