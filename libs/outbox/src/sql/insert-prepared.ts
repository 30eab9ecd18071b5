import { type Message, type Queryable, type Store, table } from '@tidings/core';

export interface PreparedDestination {
  readonly transports: readonly string[];
  readonly optional: boolean;
}

/** False when a message of this source and id is there already. */
export async function insertPrepared(
  store: Store,
  on: Queryable,
  message: Message,
  { transports, optional }: PreparedDestination,
  checkAfterMs: number,
): Promise<boolean> {
  const { rowCount } = await on.query({
    text: `insert into ${table(store, 'prepared')}
             (source, message_id, check_at, transports, optional, type, version, topic, key, content_type, crc32c, payload, headers)
           values ($1, $2, ${table(store, 'now')}() + $3 * interval '1 ms', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           on conflict do nothing`,
    values: [
      message.source,
      message.id,
      checkAfterMs,
      transports,
      optional,
      message.type,
      message.version,
      message.topic,
      message.key,
      message.contentType,
      message.crc32c,
      message.payload,
      JSON.stringify(message.headers),
    ],
  });
  return rowCount === 1;
}
