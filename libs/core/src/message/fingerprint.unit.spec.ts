import { createHash } from 'node:crypto';
import { fingerprintOf } from './fingerprint';

const of = (text: string | Uint8Array, contentType = 'application/json', type = 'gift.sent'): string =>
  fingerprintOf({ type, contentType, payload: typeof text === 'string' ? Buffer.from(text) : text }).toString('hex');

describe('the fingerprint', () => {
  it('is SHA-256 of type, a zero byte and the canonical JSON: part of the wire contract', () => {
    const expected = createHash('sha256').update('gift.sent\0{"a":1,"b":[2]}').digest('hex');
    expect(of('{ "b": [2], "a": 1.0 }')).toBe(expected);
  });

  it('is the same for members in another order, and another for other content, type or kind of value', () => {
    const texts = ['{"a":1,"b":2}', '{"a":1,"b":3}', '{"a":1}', '{"a":1,"b":"2"}', '{"a":1,"b":[2]}'];
    expect(of('{"b":2,"a":1}')).toBe(of(texts[0]!));
    expect(new Set([...texts.map((text) => of(text)), of(texts[0]!, 'application/json', 'gift.taken')]).size).toBe(6);
  });

  it.each(['application/json; charset=utf-8', 'application/cloudevents+json', 'Application/JSON'])(
    'knows %s as JSON',
    (contentType) => {
      expect(of('{"b":2,"a":1}', contentType)).toBe(of('{"a":1,"b":2}', contentType));
    },
  );

  it('takes the raw bytes of what is not JSON, and of what only claims to be', () => {
    expect(of('{"b":2,"a":1}', 'text/plain')).not.toBe(of('{"a":1,"b":2}', 'text/plain'));
    expect(of('{broken')).not.toBe(of('{broken '));
    // Both would decode to the replacement character, if they were decoded leniently.
    expect(of(Buffer.from([0x22, 0xfe, 0x22]))).not.toBe(of(Buffer.from([0x22, 0xff, 0x22])));
    expect(of('[1'.repeat(200_000))).toHaveLength(64);
  });
});
