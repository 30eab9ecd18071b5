import { testMessage, type TestMessageOverrides } from '@tidings/testing';
import { fromRocket, messageGroupOf, OWN_PROPERTIES, toRocket } from './rocketmq-mapping';

const STRUCTURED = 'application/cloudevents+json';
const isStructured = (overrides: TestMessageOverrides): boolean =>
  toRocket({ message: testMessage(overrides) }).properties.get('CE_datacontenttype') === STRUCTURED;

describe('the mapping of RocketMQ', () => {
  it('writes properties where they can carry it', () => {
    const { body, properties, tag } = toRocket({ message: testMessage({ type: 'gift.sent', payload: { n: 1 }, headers: { note: 'a' } }) }); // prettier-ignore
    expect(tag).toBe('gift.sent');
    expect(body.toString()).toBe('{"n":1}');
    expect(Object.fromEntries(properties)).toMatchObject({ CE_type: 'gift.sent', note: 'a' });
  });

  it.each<[string, TestMessageOverrides]>([
    ['an empty payload', { payload: new Uint8Array(0) }],
    ['text beyond ASCII', { headers: { note: '礼物' } }],
    ['a control character', { headers: { note: 'a\nb' } }],
    ['an empty value', { headers: { note: '' } }],
    ["a name that could be the broker's", { headers: { KEYS: 'a' } }],
    ['a name of ours', { headers: { [OWN_PROPERTIES.group]: 'a' } }],
    ['more than properties may hold', { headers: { note: 'x'.repeat(15_000) } }],
    [
      'more properties than there may be',
      { headers: Object.fromEntries(Array.from({ length: 130 }, (_, n) => [`n${n}`, 'a'])) },
    ],
    ['an empty key', { key: '' }],
    ['a content type that says structured', { contentType: STRUCTURED }],
  ])('writes structured: %s', (_, overrides) => {
    expect(isStructured(overrides)).toBe(true);
    const message = testMessage(overrides);
    const read = fromRocket(toRocket({ message, attempts: 3 }), message.topic);
    expect(read.attempts).toBe(3);
    expect({ ...read.message, payload: Buffer.from(read.message.payload) }).toEqual({
      ...message,
      payload: Buffer.from(message.payload),
    });
  });

  it.each([
    ['data as JSON', { data: { n: 1 } }, '{"n":1}'],
    ['data as text', { data: 'hi', datacontenttype: 'text/plain' }, 'hi'],
    ['no data', {}, ''],
  ])('reads a foreign structured event: %s', (_, event, expected) => {
    const body = Buffer.from(
      JSON.stringify({ specversion: '1.0', id: '1', source: 's', type: 't', traceparent: 'x', ...event }),
    );
    const { message } = fromRocket({ body, properties: new Map([['CE_datacontenttype', STRUCTURED]]) }, 'gift.sent');
    expect(Buffer.from(message.payload).toString()).toBe(expected);
    expect(message.headers).toEqual({ traceparent: 'x' });
  });

  it('refuses a structured event that is none', () => {
    const properties = new Map([['CE_datacontenttype', STRUCTURED]]);
    for (const text of ['no JSON', '[1]', 'null'])
      expect(() => fromRocket({ body: Buffer.from(text), properties }, 'gift.sent')).toThrow(
        'its body is no JSON object',
      );
  });

  it('has a message group for every key, and one for each message without', () => {
    expect(messageGroupOf({ key: 'room-7', id: 'a' })).toBe('room-7');
    expect(messageGroupOf({ key: null, id: 'a' })).toBe('a');
    for (const key of ['', 'комната 7', 'x'.repeat(65), 'a\nb'])
      expect(messageGroupOf({ key, id: 'a' })).toMatch(/^sha256-[\da-f]{48}$/);
  });
});
