import { type Attributes, attributesOf, crc32c, fnv1a32, laneOf, type Message, messageOf } from '@tidings/core';
import {
  columnValues,
  type LogRow,
  messageOfRow,
  stampOfRow,
  WRITTEN_COLUMNS,
} from '../../libs/postgres-log/src/log-row';
import { fromKafka, type KafkaForm, toKafka } from '../../libs/transports/kafka/src/kafka-mapping';
import { fromMqtt, type MqttPublish, toMqtt } from '../../libs/transports/mqtt/src/mqtt-mapping';
import { type AmqpPublish, fromAmqp, toAmqp } from '../../libs/transports/rabbitmq/src/rabbitmq-mapping';
import { fromFields, toFields } from '../../libs/transports/redis/src/redis-mapping';
import { fromRocket, toRocket } from '../../libs/transports/rocketmq/src/rocketmq-mapping';
import { asStored, bytesOf, goldenForms } from './golden-file';
import { GOLDEN_MESSAGES, type GoldenMessage } from './golden-messages';

const names = Object.keys(GOLDEN_MESSAGES);
const formsBy = (write: (golden: GoldenMessage) => unknown) =>
  Object.fromEntries(Object.entries(GOLDEN_MESSAGES).map(([name, golden]) => [name, write(golden)]));
/** Bytes compare as a Buffer whatever class they came in. */
const plain = (message: Message): Message => ({ ...message, payload: Buffer.from(message.payload) });
const wireOf = ({ message, attempts = 0, stamp }: GoldenMessage) => ({
  message: plain(message),
  attempts,
  ...(stamp && { stamp }),
});

describe('the wire', () => {
  describe('as CloudEvents attributes', () => {
    const today = formsBy((golden) => attributesOf(golden));
    const golden = goldenForms('attributes', today) as Record<string, Attributes>;

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const { message } = GOLDEN_MESSAGES[name]!;
      const read = messageOf(golden[name]!, message.payload, message.topic, message.headers);
      expect({ ...read, message: plain(read.message) }).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  describe.each([
    ['amqp', 'separate'],
    ['amqp-packed', 'packed'],
  ] as const)('on AMQP: %s', (file, form) => {
    const today = asStored(formsBy((golden) => toAmqp(golden, form)));
    const golden = goldenForms(file, today) as Record<string, AmqpPublish>;

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const { content, options } = golden[name]!;
      const delivered = { content: bytesOf(content), properties: options as never };
      const read = fromAmqp(delivered, GOLDEN_MESSAGES[name]!.message.topic);
      expect({ ...read, message: plain(read.message) }).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  describe('on Kafka', () => {
    const today = asStored(formsBy((golden) => toKafka(golden)));
    const golden = goldenForms('kafka', today) as Record<string, KafkaForm>;

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const { key, value, headers } = golden[name]!;
      const { topic } = GOLDEN_MESSAGES[name]!.message;
      const asBytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)])); // prettier-ignore
      const read = fromKafka(
        {
          topic,
          partition: 0,
          offset: 7,
          key: key === null ? null : bytesOf(key),
          value: bytesOf(value),
          headers: asBytes,
        },
        topic,
      );
      expect({ ...read, message: plain(read.message) }).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  describe('in a stream of Redis', () => {
    const today = asStored(formsBy((golden) => toFields(golden)));
    const golden = goldenForms('redis', today) as Record<string, unknown[]>;

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const fields = golden[name]!.map((field) => (typeof field === 'string' ? Buffer.from(field) : bytesOf(field)));
      const { message, attempts, stamp } = fromFields(fields, GOLDEN_MESSAGES[name]!.message.topic);
      expect({ message: plain(message), attempts, ...(stamp && { stamp }) }).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  describe('on RocketMQ', () => {
    const write = (outgoing: GoldenMessage): object => {
      const { properties, ...sent } = toRocket(outgoing);
      return { ...sent, properties: Object.fromEntries(properties) };
    };
    const today = asStored(formsBy(write));
    const golden = goldenForms('rocketmq', today) as Record<string, { body: unknown; properties: Record<string, string> }>; // prettier-ignore

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const { body, properties } = golden[name]!;
      const delivered = { body: bytesOf(body), properties: new Map(Object.entries(properties)) };
      const read = fromRocket(delivered, GOLDEN_MESSAGES[name]!.message.topic);
      expect({ ...read, message: plain(read.message) }).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  describe.each([
    ['mqtt5', '5.0'],
    ['mqtt311', '3.1.1'],
  ] as const)('on MQTT: %s', (file, protocol) => {
    const today = asStored(formsBy((golden) => toMqtt(golden, protocol)));
    const golden = goldenForms(file, today) as Record<string, MqttPublish>;

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const { payload, properties } = golden[name]!;
      const packet = { payload: bytesOf(payload), ...(properties && { properties }) };
      const read = fromMqtt(packet, GOLDEN_MESSAGES[name]!.message.topic);
      expect({ ...read, message: plain(read.message) }).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  describe('in the log of PostgreSQL', () => {
    const columns = WRITTEN_COLUMNS.split(',').map((name) => name.trim());
    const write = ({ message, attempts = 0, stamp }: GoldenMessage): object => {
      const entry = { message, destination: 1, fresh: false, attempts, stamp, optional: false, delayMs: 0 };
      const values = columnValues(entry).map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
      return Object.fromEntries(columns.map((name, index) => [name, values[index]]));
    };
    const today = asStored(formsBy(write));
    const golden = goldenForms('postgres', today) as Record<string, Record<string, unknown>>;

    it.each(names)('writes the golden file: %s', (name) => {
      expect(today[name]).toEqual(golden[name]);
      expect(Object.keys(golden)).toEqual(names);
    });

    it.each(names)('reads the golden file: %s', (name) => {
      const stored = golden[name]!;
      const row = {
        ...stored,
        created_at: { getTime: () => Date.parse(stored['created_at'] as string) },
        payload: bytesOf(stored['payload']),
        headers: stored['headers'] === null ? null : (JSON.parse(stored['headers'] as string) as object),
      } as unknown as LogRow;
      const stamp = stampOfRow(row);
      const read = { message: plain(messageOfRow(row)), attempts: row.attempts, ...(stamp && { stamp }) };
      expect(read).toEqual(wireOf(GOLDEN_MESSAGES[name]!));
    });
  });

  it.each([
    ['', 0x811c9dc5, 5],
    ['a', 0xe40c292c, 44],
    ['foobar', 0xbf9cf968, 40],
    ['room-7', 0xbc84cb66, 38],
    ['комната 7', 0x9c26e9f0, 48],
    ['礼物-🎁', 0x8a774ac8, 8],
  ])('hashes the key %j by FNV-1a to %d, lane %d', (key, hash, lane) => {
    expect([fnv1a32(key), laneOf({ key, id: 'x' })]).toEqual([hash, lane]);
  });

  it.each([
    ['', '00000000'],
    ['123456789', 'e3069283'],
    ['{"coins":5}', '7ab8a890'],
  ])('checks %j by CRC-32C %s', (text, checksum) => {
    expect(crc32c(Buffer.from(text)).toString(16).padStart(8, '0')).toBe(checksum);
  });

  it('ignores attributes of a later minor version, and passes them on', () => {
    const { message } = GOLDEN_MESSAGES['everything set']!;
    const { content, options } = toAmqp({ message });
    const headers = { ...options.headers, 'cloudEvents:colour': 'blue' };
    const read = fromAmqp({ content, properties: { ...options, headers } as never }, message.topic);
    expect(read.newer).toBeUndefined();
    expect(plain(read.message)).toEqual({ ...plain(message), headers: { ...message.headers, colour: 'blue' } });
    expect(toAmqp(read).options.headers).toMatchObject({ colour: 'blue' });
  });

  it('reads a foreign CloudEvent, which has nothing of Tidings', () => {
    const headers = {
      'cloudEvents:specversion': '1.0', 'cloudEvents:id': 'e-1', 'cloudEvents:source': '/legacy', 'cloudEvents:type': 'gift.sent',
      'cloudEvents:partitionkey': 'room-7',
    }; // prettier-ignore
    const properties = { contentType: 'application/json', headers } as never;
    const read = fromAmqp({ content: Buffer.from('{}'), properties }, 'gift.sent');
    expect(read).toMatchObject({ attempts: 0, message: { version: 1, bucket: null, generation: 0, crc32c: null, key: 'room-7' } }); // prettier-ignore
    expect(read).not.toHaveProperty('newer');
  });

  it('holds back a newer wire version, even one that writes its numbers otherwise', () => {
    const { message } = GOLDEN_MESSAGES['everything set']!;
    const newer = { ...attributesOf({ message }), tidings: '2', generation: 'third', crc32c: 'blake3:…' };
    const read = messageOf(newer, message.payload, message.topic, {});
    expect(read).toMatchObject({
      message: { id: message.id, key: message.key },
      newer: { code: 'TIDINGS_NEWER_WIRE', version: 2, known: 1 },
    });
    expect(() => messageOf({ ...newer, tidings: 'two' }, message.payload, 't', {})).toThrow(/tidings must be a whole/);
  });
});
