import { type Store, table } from '@tidings/core';
import { storable, storableStory } from '../storable-text';

/**
 * Takes back a redrive that has begun and whose generation is sealed: the letter is dead again, at that generation, so that the next redrive is of
 * a later one. False when it is no longer redriving that generation.
 */
export async function reopenLetter(
  store: Store,
  id: string,
  generation: number,
  by: string,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `with reopened as (
        update ${table(store, 'dead_letter')}
           set status = 'dead', generation = redrive_generation, redrive_generation = null, redrive_bucket = null
         where id = $1::bigint and status = 'redriving' and redrive_generation = $2::bigint returning id)
      insert into ${table(store, 'dead_letter_audit')} (letter, by, action, reason) select id, $3, 'reopen', $4 from reopened`,
    values: [id, generation, storable(by), storableStory(reason)],
  });
  return rowCount === 1;
}
