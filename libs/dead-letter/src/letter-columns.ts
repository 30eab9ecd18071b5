import { type DeadLetter, HEADERS } from '@tidings/core';
import { failureFingerprintOf } from './failure-fingerprint';
import { letterKeyOf } from './letter-key';
import { storable, storableStory } from './storable-text';

/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

/** A letter's columns but for its failures, `letter_key` first. Undefined stays out; null, text, number or bytes go in. */
export function letterColumns(letter: DeadLetter): Readonly<Record<string, unknown>> {
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
    trace_id: TRACEPARENT.exec(message.headers[HEADERS.traceparent] ?? '')?.[1] ?? null,
    headers: JSON.stringify(message.headers),
    payload: Buffer.from(message.payload),
  };
}
