import { type Store, table } from '@tidings/core';

export interface BegunAttempt {
  /** How often an attempt at the message began and was never ended. */
  readonly deaths: number;
  /** The processes that did not end them, in their order. */
  readonly instances: readonly string[];
}

export async function beginAttempt(store: Store, letterKey: Buffer, instance: string): Promise<BegunAttempt> {
  const { rows } = await store.query<{ deaths: number; died_in: string[] }>({
    text: `insert into ${table(store, 'attempt')} as a (letter_key, instance) values ($1, $2)
      on conflict (letter_key) do update set deaths = a.deaths + a.running::int,
        died_in = case when a.running then a.died_in || a.instance else a.died_in end,
        running = true, instance = excluded.instance, began_at = ${table(store, 'now')}()
      returning deaths, died_in`,
    values: [letterKey, instance],
  });
  const { deaths, died_in } = rows[0]!;
  return { deaths, instances: died_in };
}
