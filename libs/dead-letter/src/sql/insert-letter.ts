import { type DeadLetter, type Store, table } from '@tidings/core';
import { letterColumns } from '../letter-columns';
import { storedFailures } from '../stored-failures';

/**
 * Files a letter, unless it is filed already, and moves the failures that were noted before into it. A message that failed again after a redrive
 * keeps the position of its first letter. An outbound one is redriven in the generation that it had, and so is the same letter when it fails again: that
 * waits again, with one more failure.
 */
export async function insertLetter(store: Store, letter: DeadLetter): Promise<void> {
  const columns = letterColumns(letter);
  const names = Object.keys(columns);
  const of = (name: string): string => `$${names.indexOf(name) + 1}`;
  const letters = table(store, 'dead_letter');
  await store.query({
    text: `with earlier as (delete from ${table(store, 'failed_attempt')} where letter_key = $1 returning id, failures),
        told as (
          select coalesce(jsonb_agg(f.failure order by e.id, f.n), '[]') as failures
            from earlier e cross join jsonb_array_elements(e.failures) with ordinality f(failure, n)),
        first as (
          select coalesce(position, id) as position from ${letters}
           where left(message_id, 200) = left(${of('message_id')}::text, 200) and message_id = ${of('message_id')}::text
             and source = ${of('source')} and topic = ${of('topic')} and place = ${of('place')} and direction = ${of('direction')}
             and generation < ${of('generation')}::bigint
           order by left(message_id, 200), id limit 1)
      insert into ${letters} as letter (${names.join(', ')}, failures, position)
        select ${names.map((_, index) => `$${index + 1}`).join(', ')}, told.failures || $${names.length + 1}::jsonb, (select position from first)
          from told
      on conflict (letter_key) do update
        set status = 'dead', settled_at = null, redrive_generation = null, redrive_bucket = null, redrive_job = null,
            failure_fingerprint = excluded.failure_fingerprint, reason = excluded.reason,
            attempts = letter.attempts + excluded.attempts, failures = letter.failures || excluded.failures
        where letter.direction = 'outbound' and letter.status in ('redriving', 'redriven')`,
    values: [...Object.values(columns), storedFailures(letter.failures)],
  });
}
