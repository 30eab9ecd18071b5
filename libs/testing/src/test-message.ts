import { randomUUID } from 'node:crypto';
import { crc32c, dateOf, type Message, systemClock, timestampOf } from '@tidings/core';

/** Anything of a message, and a payload in the form that is handiest: bytes stay as they are, text becomes UTF-8, the rest JSON. */
export type TestMessageOverrides = Omit<Partial<Message>, 'payload'> & { readonly payload?: unknown };

const bytesOf = (payload: unknown): Uint8Array =>
  payload instanceof Uint8Array
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload), 'utf8');

/** A complete message: new id, true checksum, today's bucket. */
export function testMessage({ payload = { gift: 'rose' }, ...overrides }: TestMessageOverrides = {}): Message {
  const bytes = bytesOf(payload);
  const now = systemClock.now();
  return {
    id: randomUUID(),
    source: 'tidings-test',
    type: 'gift.sent',
    version: 1,
    topic: overrides.type ?? 'gift.sent',
    key: null,
    time: timestampOf(now),
    contentType: 'application/json',
    payload: bytes,
    bucket: dateOf(now),
    generation: 0,
    crc32c: crc32c(bytes),
    headers: {},
    ...overrides,
  };
}
