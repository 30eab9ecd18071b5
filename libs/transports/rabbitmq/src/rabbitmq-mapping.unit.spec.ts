import { attributesOf, type Message } from '@tidings/core';
import { testMessage } from '@tidings/testing';
import type { Message as AmqpMessage } from 'amqplib';
import { asItCame, fromAmqp, OWN_HEADERS, textOf, toAmqp } from './rabbitmq-mapping';

/** As the other side gets it: amqplib gives `undefined` for properties that are not set. */
const arrived = ({ content, options }: ReturnType<typeof toAmqp>): Pick<AmqpMessage, 'content' | 'properties'> => ({
  content,
  properties: options as unknown as AmqpMessage['properties'],
});
const foreign = (properties: object, content = '{}'): Pick<AmqpMessage, 'content' | 'properties'> => ({
  content: Buffer.from(content),
  properties: properties as AmqpMessage['properties'],
});

describe('a request on AMQP', () => {
  it('has address and id in the properties that any responder looks at', () => {
    const headers = { replyto: 'amq.rabbitmq.reply-to.g1', requestid: 'r-1', note: 'x' };
    const sent = toAmqp({ message: testMessage({ headers }) });
    expect(sent.options).toMatchObject({ replyTo: headers.replyto, correlationId: 'r-1' });
    expect(sent.options.headers).not.toHaveProperty('replyto');
    expect(fromAmqp(arrived(sent), 'gift.sent').message.headers).toEqual(headers);
  });

  it("never names the broker's pseudo-queue on a channel that does not consume it", () => {
    const headers = { replyto: 'amq.rabbitmq.reply-to' };
    expect(toAmqp({ message: testMessage({ headers }) }).options).not.toHaveProperty('replyTo');
  });

  it('of a foreign requester is known by its correlation id', () => {
    const properties = { messageId: 'm', type: 't', appId: 'a', replyTo: 'queue-7', correlationId: 'c-1' };
    expect(fromAmqp(foreign(properties), 't').message.headers).toEqual({ replyto: 'queue-7', requestid: 'c-1' });
  });
});

describe('a message on AMQP', () => {
  const golden: Message = testMessage({
    id: '0195-礼物',
    source: 'gift-api 🎁',
    type: 'gift.sent',
    version: 2,
    key: 'комната 7',
    time: '2026-11-21T10:20:30.456Z',
    bucket: '2026-11-21',
    generation: 3,
    payload: 'payload',
    headers: { note: '💐 für dich', empty: '', traceparent: '00-1-2-01' },
  });

  it('has the names of the CloudEvents AMQP binding and the standard properties', () => {
    const { content, options } = toAmqp({
      message: golden,
      attempts: 2,
      stamp: { sequence: 9, epoch: 2, epochStart: 7 },
    });
    expect(content.toString()).toBe('payload');
    expect(options).toEqual({
      persistent: true,
      contentType: 'application/json',
      messageId: '0195-礼物',
      type: 'gift.sent',
      appId: 'gift-api 🎁',
      timestamp: 1_795_256_430,
      headers: {
        note: '💐 für dich',
        empty: '',
        traceparent: '00-1-2-01',
        'cloudEvents:specversion': '1.0',
        'cloudEvents:id': '0195-礼物',
        'cloudEvents:source': 'gift-api 🎁',
        'cloudEvents:type': 'gift.sent',
        'cloudEvents:time': '2026-11-21T10:20:30.456Z',
        'cloudEvents:tidings': '1',
        'cloudEvents:typeversion': '2',
        'cloudEvents:partitionkey': 'комната 7',
        'cloudEvents:bucket': '2026-11-21',
        'cloudEvents:generation': '3',
        'cloudEvents:crc32c': attributesOf({ message: golden })['crc32c'],
        'cloudEvents:attempts': '2',
        'cloudEvents:sequence': '9',
        'cloudEvents:epoch': '2',
        'cloudEvents:epochstart': '7',
      },
    });
  });

  it.each([
    ['unicode everywhere', golden],
    [
      'bytes that are no text',
      testMessage({ payload: Buffer.from([0, 255, 254, 128, 10]), contentType: 'application/octet-stream' }),
    ],
    ['no bytes', testMessage({ payload: Buffer.alloc(0) })],
    ['a view into a larger buffer', testMessage({ payload: Buffer.from('__payload__').subarray(2, 9) })],
    [
      'attributes longer than a short string',
      testMessage({
        id: 'i'.repeat(300),
        type: 't'.repeat(300),
        topic: 'gift.sent',
        contentType: `text/${'x'.repeat(300)}`,
      }),
    ],
    ['a time that is none', testMessage({ time: '' })],
  ])('comes back as it went: %s', (_, message) => {
    for (const form of ['separate', 'packed'] as const) {
      const back = fromAmqp(arrived(toAmqp({ message, attempts: 1 }, form)), message.topic);
      expect({ ...back.message, payload: Buffer.from(back.message.payload) }).toEqual({
        ...message,
        payload: Buffer.from(message.payload),
      });
      expect(back.attempts).toBe(1);
    }
  });

  it('packed has its attributes in the properties and one header, and a mark that older readers hold it back by', () => {
    const stamp = { sequence: 9, epoch: 2, epochStart: 7 };
    const { options } = toAmqp({ message: golden, stamp }, 'packed');
    expect(options).toMatchObject({ messageId: golden.id, type: 'gift.sent', appId: golden.source });
    expect(Object.keys(options.headers)).toEqual([...Object.keys(golden.headers), 'cloudEvents:tidings', 'tidings']);
    expect(options.headers['cloudEvents:tidings']).toBe('2');
    expect(fromAmqp(arrived({ content: Buffer.from('payload'), options }), golden.topic)).toMatchObject({ stamp });
  });

  it('packed takes attributes of a later minor version as headers, and is held back in a later wire version', () => {
    const { content, options } = toAmqp({ message: golden }, 'packed');
    const packed = (more: object): string =>
      JSON.stringify({ ...(JSON.parse(String(options.headers['tidings'])) as object), ...more });
    const read = (more: object) =>
      fromAmqp(
        arrived({ content, options: { ...options, headers: { ...options.headers, tidings: packed(more) } } }),
        't',
      );
    expect(read({ colour: 'blue' }).message.headers).toEqual({ ...golden.headers, colour: 'blue' });
    expect(read({ colour: 'blue' })).not.toHaveProperty('newer');
    expect(read({ tidings: '3' }).newer).toMatchObject({ version: 3 });
  });

  it('comes back without what the broker and the publisher added', () => {
    const { content, options } = toAmqp({ message: golden });
    const headers = {
      ...options.headers,
      [OWN_HEADERS.publish]: 7,
      'x-death': [{ count: 1 }],
      'x-first-death-queue': 'q',
    };
    expect(fromAmqp(arrived({ content, options: { ...options, headers } }), golden.topic).message.headers).toEqual(
      golden.headers,
    );
  });

  it.each(['cloudEvents:id', 'tidings', OWN_HEADERS.publish, 'x-death'])(
    'is refused with a header called %s',
    (name) => {
      expect(() => toAmqp({ message: testMessage({ headers: { [name]: 'mine' } }) })).toThrow(name);
    },
  );
});

describe('a foreign message', () => {
  it('is read from its properties', () => {
    const properties = {
      messageId: 'm-1',
      type: 'gift.sent',
      appId: 'legacy',
      timestamp: 1_795_256_430,
      contentType: 'text/plain',
      correlationId: 'c-1',
    };
    const { message, attempts } = fromAmqp(foreign({ ...properties, headers: undefined }), 'gift.sent');
    expect(message).toMatchObject({
      id: 'm-1',
      type: 'gift.sent',
      source: 'legacy',
      version: 1,
      key: null,
      bucket: null,
      crc32c: null,
    });
    expect(message).toMatchObject({
      time: '2026-11-21T10:20:30.000Z',
      contentType: 'text/plain',
      headers: { correlationid: 'c-1' },
    });
    expect(attempts).toBe(0);
  });

  it('is read from CloudEvents headers in the newer spelling, its extensions becoming headers', () => {
    const headers = {
      cloudEvents_id: 'm-2',
      cloudEvents_source: 's',
      cloudEvents_type: 't',
      cloudEvents_partitionkey: 'k',
      cloudEvents_traceparent: '00-1',
    };
    const { message } = fromAmqp(foreign({ headers }), 'gift.sent');
    expect(message).toMatchObject({ id: 'm-2', source: 's', type: 't', key: 'k', headers: { traceparent: '00-1' } });
  });

  it.each([{ messageId: 'm' }, { messageId: 'm', type: 't' }, { type: 't', appId: 's' }, {}])(
    'without identity cannot be read: %j',
    (properties) => {
      expect(() => fromAmqp(foreign(properties), 'gift.sent')).toThrow(/has no attribute/);
    },
  );

  it('is forwarded with what the broker lets anybody set', () => {
    const properties = {
      messageId: 'm',
      priority: 3,
      userId: 'legacy',
      replyTo: 'amq.rabbitmq.reply-to',
      expiration: '5',
      type: undefined,
    };
    const { content, options } = asItCame(
      foreign({ ...properties, headers: { note: 'ü', count: 3, 'x-death': [] } }, 'as it was'),
    );
    expect(content.toString()).toBe('as it was');
    expect(options).toEqual({ messageId: 'm', priority: 3, persistent: true, headers: { note: 'ü', count: 3 } });
  });

  it('keeps the sense of typed header values', () => {
    expect(textOf(42)).toBe('42');
    expect(textOf(true)).toBe('true');
    expect(textOf(null)).toBe('');
    expect(textOf(Buffer.from('礼物'))).toBe('礼物');
    expect(textOf(Buffer.from([255, 0]))).toBe('/wA=');
    expect(textOf({ '!': 'timestamp', value: 1_795_256_430 })).toBe('2026-11-21T10:20:30.000Z');
    expect(textOf({ '!': 'decimal', value: { places: 2, digits: 1999 } })).toBe('19.99');
    expect(textOf({ room: { bytes: Buffer.from('x') }, list: [1, 'two'] })).toBe(
      '{"room":{"bytes":"x"},"list":[1,"two"]}',
    );
  });
});
