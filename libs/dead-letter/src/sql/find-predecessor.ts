import { type Store, table } from '@tidings/core';
import type { PickedLetter } from './pick-letters';

/** The letter of the same key and place that the job redrove last. */
export async function findPredecessor(
  store: Store,
  job: string,
  { key, place }: PickedLetter,
): Promise<string | undefined> {
  const { rows } = await store.query<{ id: string }>({
    text: `select id::text from ${table(store, 'dead_letter')} l
      where redrive_job = $1::bigint and left(key, 200) = left($2::text, 200) and key = $2::text and place = $3 and direction = 'inbound'
        and status = 'redriven'
      order by redrive_job, left(key, 200), coalesce(position, l.id) desc, l.id desc limit 1`,
    values: [job, key, place],
  });
  return rows[0]?.id;
}
