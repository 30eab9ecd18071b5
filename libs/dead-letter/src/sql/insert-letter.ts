import { type DeadLetter, HEADERS, type Store, table } from '@tidings/core';
import { failureFingerprintOf } from '../failure-fingerprint';
import { letterKeyOf } from '../letter-key';
import { storable, storableStory } from '../storable-text';
import { storedFailures } from '../stored-failures';

/** Undefined stays out; null, text, number or bytes go in. */
function columnsOf(letter: DeadLetter): Readonly<Record<string, unknown>> {
  const { message } = letter;
  const nullable = (text: string | null | undefined): string | null => (text == null ? null : storable(text));
  return {
    letter_key: letterKeyOf(letter),
    failure_fingerprint: failureFingerprintOf(letter),
    direction: letter.direction,
    transport: storable(letter.transport),
    place: storable(letter.place),
    audience: nullable(letter.group),
    handler: nullable(letter.handler),
    reason: storableStory(letter.reason),
    attempts: letter.attempts,
    message_id: storable(message.id),
    source: storable(message.source),
    type: storable(message.type),
    version: message.version,
    topic: storable(message.topic),
    key: nullable(message.key),
    time: storable(message.time),
    content_type: storable(message.contentType),
    bucket: nullable(message.bucket),
    generation: message.generation,
    crc32c: message.crc32c,
    tenant: nullable(message.headers[HEADERS.tenant]),
    headers: JSON.stringify(message.headers),
    payload: Buffer.from(message.payload),
  };
}

/** Files a letter, unless it is filed already, and moves the failures that were noted before into it. */
export async function insertLetter(store: Store, letter: DeadLetter): Promise<void> {
  const columns = columnsOf(letter);
  const names = Object.keys(columns);
  const last = names.length + 1;
  await store.query({
    text: `with earlier as (delete from ${table(store, 'failed_attempt')} where letter_key = $1 returning id, failures),
        told as (
          select coalesce(jsonb_agg(f.failure order by e.id, f.n), '[]') as failures
            from earlier e cross join jsonb_array_elements(e.failures) with ordinality f(failure, n))
      insert into ${table(store, 'dead_letter')} (${names.join(', ')}, failures)
        select ${names.map((_, index) => `$${index + 1}`).join(', ')}, told.failures || $${last}::jsonb from told
      on conflict (letter_key) do nothing`,
    values: [...Object.values(columns), storedFailures(letter.failures)],
  });
}
