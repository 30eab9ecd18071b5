import { type Store, table } from '@tidings/core';
import type { LoggedMessage } from '../log-reader';
import { columnValues } from '../log-row';

const COLUMNS = `created_at, bucket, crc32c, version, generation, attempts, message_id, aggregatetype, aggregateid, type, source, content_type,
  tenant, payload, headers`;

/** Keeps one a reader, message and generation: a crash between filing and moving the cursor files the same message again. */
export async function insertNativeDeadLetter(
  store: Store,
  reader: number,
  { message }: Pick<LoggedMessage, 'message'>,
  attempts: number,
  reason: string,
): Promise<void> {
  const dead = table(store, 'native_dead_letter');
  const [, , createdAt, bucket, crc32c, version, generation, , , id, ...rest] = columnValues({
    message,
    destination: 0,
    fresh: false,
    attempts,
    optional: false,
    delayMs: 0,
  });
  await store.query({
    text: `insert into ${dead} (reader, reason, ${COLUMNS})
      select $1, $2, $3::timestamptz, $4::date, $5::int, $6::int, $7::int, $8::int, $9, $10, $11, $12, $13, $14, $15, $16::bytea, $17::jsonb
       where not exists (select from ${dead} where reader = $1 and message_id = $9 and source = $13 and generation = $7)`,
    values: [reader, reason, createdAt, bucket, crc32c, version, generation, attempts, id, ...rest],
  });
}
