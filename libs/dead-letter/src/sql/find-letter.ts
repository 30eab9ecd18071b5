import { type FailureRecord, type Store, table } from '@tidings/core';
import type { LetterStatus } from '../letter-filter';
import type { StoredLetter } from '../stored-letter';
import { timestampText } from '../timestamp-text';

interface Row {
  readonly id: string;
  readonly identity: string;
  readonly status: LetterStatus;
  readonly buried_at: string;
  readonly settled_at: string | null;
  readonly redrive_generation: string | null;
  readonly redrive_bucket: string | null;
  readonly failure_fingerprint: string;
  readonly direction: 'inbound' | 'outbound';
  readonly transport: string;
  readonly place: string;
  readonly audience: string | null;
  readonly handler: string | null;
  readonly reason: string;
  readonly attempts: string;
  readonly failures: FailureRecord[];
  readonly message_id: string;
  readonly source: string;
  readonly type: string;
  readonly version: string;
  readonly topic: string;
  readonly key: string | null;
  readonly time: string;
  readonly content_type: string;
  readonly bucket: string | null;
  readonly generation: string;
  readonly crc32c: string | null;
  readonly headers: string;
  readonly payload: Buffer;
  readonly edited_payload: Buffer | null;
  readonly edited_headers: string | null;
  readonly trace_id: string | null;
}

/** bigint and json travel as text: the user may have told pg to read their types in another way. */
export async function findLetter(store: Store, id: string): Promise<Omit<StoredLetter, 'audit'> | undefined> {
  const { rows } = await store.query<Row>({
    text: `select id::text, encode(letter_key, 'hex') as identity, status, ${timestampText('buried_at')} as buried_at, ${timestampText('settled_at')} as settled_at,
        redrive_generation::text, redrive_bucket, encode(failure_fingerprint, 'hex') as failure_fingerprint, direction,
        transport, place, audience, handler, reason, attempts::text, failures, message_id, source, type, version::text,
        topic, key, time, content_type, bucket, generation::text, crc32c::text, headers::text, payload, edited_payload, edited_headers::text, trace_id
      from ${table(store, 'dead_letter')} where id = $1::bigint`,
    values: [id],
  });
  return rows[0] && letterOf(rows[0]);
}

const letterOf = (row: Row): Omit<StoredLetter, 'audit'> => ({
  id: row.id,
  identity: row.identity,
  status: row.status,
  buriedAt: row.buried_at,
  settledAt: row.settled_at,
  redrive:
    row.redrive_generation === null ? null : { generation: Number(row.redrive_generation), bucket: row.redrive_bucket },
  failureFingerprint: row.failure_fingerprint,
  direction: row.direction,
  transport: row.transport,
  place: row.place,
  ...(row.audience !== null && { group: row.audience }),
  ...(row.handler !== null && { handler: row.handler }),
  reason: row.reason,
  attempts: Number(row.attempts),
  failures: row.failures,
  message: {
    id: row.message_id,
    source: row.source,
    type: row.type,
    version: Number(row.version),
    topic: row.topic,
    key: row.key,
    time: row.time,
    contentType: row.content_type,
    payload: row.payload,
    bucket: row.bucket,
    generation: Number(row.generation),
    crc32c: row.crc32c === null ? null : Number(row.crc32c),
    headers: JSON.parse(row.headers) as Record<string, string>,
  },
  traceId: row.trace_id,
  editedPayload: row.edited_payload,
  editedHeaders: row.edited_headers === null ? null : (JSON.parse(row.edited_headers) as Record<string, string>),
});
