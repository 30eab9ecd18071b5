import { type Message, timestampOf } from '@tidings/core';

export type PreparedStatus = 'undecided' | 'committed' | 'rolled-back' | 'dead-lettered';

/** A prepared message that waits for its decision, and how often it was asked for. */
export interface UndecidedMessage {
  readonly message: Message;
  /** RFC 3339. */
  readonly preparedAt: string;
  /** How often somebody was asked. */
  readonly checks: number;
  /** RFC 3339: when somebody is asked next. */
  readonly checkAt: string;
  readonly transports: readonly string[];
  readonly optional: boolean;
}

export interface PreparedRow {
  readonly source: string;
  readonly message_id: string;
  readonly prepared_at: { getTime(): number };
  readonly check_at: { getTime(): number };
  readonly checks: number;
  readonly transports: string[];
  readonly optional: boolean;
  readonly type: string;
  readonly version: number;
  readonly topic: string;
  readonly key: string | null;
  readonly content_type: string;
  readonly crc32c: string | null;
  readonly payload: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export const PREPARED_COLUMNS = `source, message_id, prepared_at, check_at, checks, transports, optional, type, version, topic, key, content_type,
  crc32c, payload, headers`;

/** `time` and `bucket` are the commit's, put there by the log. */
export const undecidedOf = (row: PreparedRow): UndecidedMessage => ({
  message: {
    id: row.message_id,
    source: row.source,
    type: row.type,
    version: row.version,
    topic: row.topic,
    key: row.key,
    time: timestampOf(row.prepared_at.getTime()),
    contentType: row.content_type,
    payload: row.payload,
    bucket: null,
    generation: 0,
    crc32c: row.crc32c === null ? null : Number(row.crc32c),
    headers: row.headers,
  },
  preparedAt: timestampOf(row.prepared_at.getTime()),
  checks: row.checks,
  checkAt: timestampOf(row.check_at.getTime()),
  transports: row.transports,
  optional: row.optional,
});
