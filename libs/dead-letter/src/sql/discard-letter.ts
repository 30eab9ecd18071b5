import { type Store, table } from '@tidings/core';
import { storable, storableStory } from '../storable-text';

/** Ends an open letter's story and tells who wanted it. False when it is settled. */
export async function discardLetter(store: Store, id: string, by: string, reason: string): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `with discarded as (
        update ${table(store, 'dead_letter')} set status = 'discarded', settled_at = ${table(store, 'now')}()
         where id = $1::bigint and status in ('dead', 'redriving') returning id)
      insert into ${table(store, 'dead_letter_audit')} (letter, by, action, reason) select id, $2, 'discard', $3 from discarded`,
    values: [id, storable(by), storableStory(reason)],
  });
  return rowCount === 1;
}
