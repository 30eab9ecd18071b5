import { crc32c, type Message, type OutgoingMessage } from '@tidings/core';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

/** A message of every kind that the wire treats in its own way. Constant to the byte: times, ids and random numbers are written out. */
const minimal: Message = {
  id: '019aa5c2-7c00-7000-8000-000000000001',
  source: 'gift-api',
  type: 'gift.sent',
  version: 1,
  topic: 'gift.sent',
  key: null,
  time: '2026-11-21T10:20:30.456Z',
  contentType: 'application/json',
  payload: bytes('{"coins":5}'),
  bucket: null,
  generation: 0,
  crc32c: null,
  headers: {},
};

const published: Message = {
  ...minimal,
  version: 2,
  key: 'room-7',
  bucket: '2026-11-21',
  crc32c: crc32c(minimal.payload),
  headers: {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    correlationid: '019aa5c2-7c00-7000-8000-0000000000aa',
    causationid: '019aa5c2-7c00-7000-8000-0000000000bb',
    tenant: 'acme',
    note: 'any text',
  },
};

const binary = Uint8Array.from([0x00, 0xff, 0xfe, 0x80, 0x0a, 0x0d, 0x22]);

export type GoldenMessage = Pick<OutgoingMessage, 'message' | 'attempts' | 'stamp'>;

export const GOLDEN_MESSAGES: Readonly<Record<string, GoldenMessage>> = {
  minimal: { message: minimal },
  'everything set': {
    message: { ...published, topic: 'gifts', generation: 3 },
    attempts: 2,
    stamp: { sequence: 1_234_567, epoch: 4, epochStart: 1_234_000 },
  },
  unicode: {
    message: {
      ...published,
      id: 'Geschenk-礼物-🎁',
      source: 'служба/подарков',
      key: 'комната 7 "quoted" \\ 🚪',
      payload: bytes('{"note":"💐 für dich"}'),
      crc32c: crc32c(bytes('{"note":"💐 für dich"}')),
      headers: { note: '💐 für dich', empty: '' },
    },
  },
  binary: {
    message: { ...published, contentType: 'application/octet-stream', payload: binary, crc32c: crc32c(binary) },
  },
  'empty payload': { message: { ...published, payload: bytes(''), crc32c: crc32c(bytes('')) } },
  'empty key': { message: { ...published, key: '' } },
  retried: { message: published, attempts: 4 },
  redriven: { message: { ...published, generation: 1 } },
  stamped: { message: published, stamp: { sequence: 1, epoch: 1, epochStart: 1 } },
};
