import { type Queryable, type Store, table } from '@tidings/core';
import { letterColumns } from '../letter-columns';
import { storedFailures } from '../stored-failures';
import type { LetterOfLine } from '../letter-line';

/** Files a letter of another store as it was there. Its new id; undefined when it is filed already. */
export async function importLetter(store: Store, on: Queryable, letter: LetterOfLine): Promise<string | undefined> {
  const columns: Readonly<Record<string, unknown>> = {
    ...letterColumns(letter),
    letter_key: Buffer.from(letter.identity, 'hex'),
    failures: storedFailures(letter.failures),
    status: letter.status,
    buried_at: letter.buriedAt,
    settled_at: letter.settledAt,
    redrive_generation: letter.redrive?.generation ?? null,
    redrive_bucket: letter.redrive?.bucket ?? null,
    edited_payload: letter.editedPayload && Buffer.from(letter.editedPayload),
    edited_headers: letter.editedHeaders && JSON.stringify(letter.editedHeaders),
  };
  const names = Object.keys(columns);
  const { rows } = await on.query<{ id: string }>({
    text: `insert into ${table(store, 'dead_letter')} (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
      on conflict (letter_key) do nothing returning id::text`,
    values: Object.values(columns),
  });
  return rows[0]?.id;
}
