import { laneOf, type Message, type Stamp, timestampOf } from '@tidings/core';
import type { LogEntry } from './log-entry';

/** A row of the log as the driver gives it. */
export interface LogRow {
  readonly seq: string;
  readonly id: string;
  readonly aggregatetype: string;
  readonly aggregateid: string | null;
  readonly type: string;
  readonly version: number;
  readonly source: string;
  readonly content_type: string;
  readonly created_at: { getTime(): number };
  readonly bucket: string | null;
  readonly crc32c: number | null;
  readonly generation: number;
  readonly attempts: number;
  readonly optional: boolean;
  readonly sequence: string | null;
  readonly epoch: string | null;
  readonly epoch_start: string | null;
  readonly payload: Buffer;
  readonly headers: Readonly<Record<string, string>> | null;
}

/** What every read of messages selects; `bucket` as text, since a driver makes a local midnight of a date. */
export const ROW_COLUMNS = `seq, id, aggregatetype, aggregateid, type, version, source, content_type, created_at, bucket::text as bucket,
  crc32c, generation, attempts, optional, sequence, epoch, epoch_start, payload, headers`;

/** The columns that a writer fills, in the order of `columnValues`. */
export const WRITTEN_COLUMNS = `destination, lane, created_at, bucket, crc32c, version, generation, attempts, optional,
  id, aggregatetype, aggregateid, type, source, content_type, tenant, sequence, epoch, epoch_start, payload, headers`;

export const WRITTEN_NAMES: readonly string[] = WRITTEN_COLUMNS.replace(/\s/g, '').split(',');

/** Their types, for `unnest` and casts. */
export const WRITTEN_TYPES = [
  'int', 'smallint', 'timestamptz', 'date', 'int', 'int', 'int', 'int', 'boolean',
  'text', 'text', 'text', 'text', 'text', 'text', 'text', 'bigint', 'bigint', 'bigint', 'bytea', 'text',
] as const; // prettier-ignore

/** `time` and `bucket` are null for a fresh entry: the statement puts the database's there. */
export function columnValues({ message, destination, fresh, attempts, optional, stamp }: LogEntry): unknown[] {
  const hasHeaders = Object.keys(message.headers).length > 0;
  return [
    destination,
    laneOf(message),
    fresh ? null : message.time || timestampOf(0),
    fresh ? null : message.bucket,
    message.crc32c === null ? null : message.crc32c | 0, // PostgreSQL has no unsigned int: the same 32 bits, signed
    message.version,
    message.generation,
    attempts,
    optional,
    message.id,
    message.topic,
    message.key,
    message.type,
    message.source,
    message.contentType,
    message.headers['tenant'] ?? null,
    stamp?.sequence ?? null,
    stamp?.epoch ?? null,
    stamp?.epochStart ?? null,
    message.payload,
    hasHeaders ? JSON.stringify(message.headers) : null,
  ];
}

export const messageOfRow = (row: LogRow): Message => ({
  id: row.id,
  source: row.source,
  type: row.type,
  version: row.version,
  topic: row.aggregatetype,
  key: row.aggregateid,
  time: timestampOf(row.created_at.getTime()),
  contentType: row.content_type,
  payload: row.payload,
  bucket: row.bucket,
  generation: row.generation,
  crc32c: row.crc32c === null ? null : row.crc32c >>> 0,
  headers: Object.freeze(row.headers ?? {}),
});

/** The stamp of the relay that copied the row here, if one did: the consumer's guard against a stalled relay's copies needs that one. */
export const stampOfRow = (row: LogRow): Stamp | undefined =>
  row.sequence === null
    ? undefined
    : { sequence: Number(row.sequence), epoch: Number(row.epoch), epochStart: Number(row.epoch_start) };
