import { type FailureRecord, type Store, table } from '@tidings/core';
import { storedFailures } from '../stored-failures';

/** Returns the milliseconds since the first failure noted of the letter. The rows of one statement see those before it only. */
export async function noteFailures(
  store: Store,
  letterKey: Buffer,
  failures: readonly FailureRecord[],
): Promise<number> {
  const failed = table(store, 'failed_attempt');
  const { rows } = await store.query<{ elapsed_ms: number }>({
    text: `with noted as (insert into ${failed} (letter_key, failures) values ($1, $2::jsonb) returning noted_at)
      select coalesce(extract(epoch from noted_at -
          (select first.noted_at from ${failed} first where first.letter_key = $1 order by first.id limit 1)) * 1000, 0)::float8 as elapsed_ms
        from noted`,
    values: [letterKey, storedFailures(failures)],
  });
  return rows[0]!.elapsed_ms;
}
