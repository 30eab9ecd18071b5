import { type Message, type Store, table } from '@tidings/core';

/** Keeps one a reader, message and generation: a crash between filing and moving the cursor files the same message again. */
export async function insertNativeDeadLetter(
  store: Store,
  reader: number,
  message: Message,
  attempts: number,
  reason: string,
): Promise<void> {
  const dead = table(store, 'native_dead_letter');
  await store.query({
    text: `insert into ${dead} (reader, reason, created_at, bucket, crc32c, version, generation, attempts, message_id, aggregatetype,
        aggregateid, type, source, content_type, tenant, payload, headers)
      select $1, $2, coalesce($3::timestamptz, ${table(store, 'now')}()), $4::date, $5::int, $6::int, $7::int, $8::int, $9, $10, $11, $12,
        $13, $14, $15, $16::bytea, $17::jsonb
       where not exists (select from ${dead} where reader = $1 and message_id = $9 and source = $13 and generation = $7)`,
    values: [
      reader,
      reason,
      message.time || null,
      message.bucket,
      message.crc32c === null ? null : message.crc32c | 0,
      message.version,
      message.generation,
      attempts,
      message.id,
      message.topic,
      message.key,
      message.type,
      message.source,
      message.contentType,
      message.headers['tenant'] ?? null,
      message.payload,
      JSON.stringify(message.headers),
    ],
  });
}
