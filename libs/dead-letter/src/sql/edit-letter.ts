import { type Store, table } from '@tidings/core';
import { storable, storableStory } from '../storable-text';

export interface LetterEdit {
  readonly payload: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly by: string;
  readonly reason: string;
}

/** Sets what a redrive sends and tells who wanted it. False when the letter is not dead (any more). */
export async function editLetter(
  store: Store,
  id: string,
  { payload, headers, by, reason }: LetterEdit,
): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `with edited as (
        update ${table(store, 'dead_letter')}
           set edited_payload = coalesce($2::bytea, edited_payload), edited_headers = coalesce($3::json, edited_headers)
         where id = $1::bigint and status = 'dead' returning id)
      insert into ${table(store, 'dead_letter_audit')} (letter, by, action, reason, payload, headers)
        select id, $4, 'edit', $5, $2::bytea, $3::json from edited`,
    values: [
      id,
      payload && Buffer.from(payload),
      headers && JSON.stringify(headers),
      storable(by),
      storableStory(reason),
    ],
  });
  return rowCount === 1;
}
