import { type NativeDeadLetter, type Store, table } from '@tidings/core';
import { type LogRow, messageOfRow } from '../log-row';

/** The oldest dead letters of a group on a topic, its retries' included. */
export async function listNativeDeadLetters(
  store: Store,
  transport: string,
  topic: string,
  group: string,
  limit: number,
): Promise<{ readonly id: string; readonly letter: NativeDeadLetter }[]> {
  const { rows } = await store.query<LogRow & { reason: string }>({
    text: `select l.id::text as seq, message_id as id, aggregatetype, aggregateid, type, version, source, content_type, l.created_at,
             bucket::text as bucket, crc32c, generation, attempts, false as optional, null as sequence, null as epoch, null as epoch_start, payload, headers, reason
        from ${table(store, 'native_dead_letter')} l
        join ${table(store, 'reader')} r on r.id = l.reader
        join ${table(store, 'destination')} d on d.id = r.destination
       where r.name = $3 and (d.transport, d.topic) = ($1, $2) order by l.id limit $4`,
    values: [transport, topic, group, limit],
  });
  return rows.map((row) => ({
    id: row.seq,
    letter: { message: messageOfRow(row), reason: row.reason, attempts: row.attempts },
  }));
}
