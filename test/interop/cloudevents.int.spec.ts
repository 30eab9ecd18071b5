import type { INestApplicationContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { defineMessage, type MessageContext } from '@tidings/core';
import { MessagingModule, OnMessage } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { connect } from 'amqplib';
import { CloudEvent, HTTP, Kafka as KafkaBinding } from 'cloudevents';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { InteropPlace } from './interop-place.fixture';

const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ room: z.string(), coins: z.number() }),
  key: ({ room }) => room,
});
const gift = { room: 'room-7', coins: 5 };
const event = (id: string) =>
  new CloudEvent({
    id,
    source: '/foreign/shop',
    type: 'gift.sent',
    datacontenttype: 'application/json',
    partitionkey: 'room-7',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    data: gift,
  });
type Event = ReturnType<typeof event>;
const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** As an event is written where the binding has no prefix, or one of its own. */
const attributesOf = (sent: Event, prefix = ''): Record<string, string> => {
  const { data: _, ...attributes } = sent.toJSON();
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, text(value)]));
};

async function overAmqp({ url, prefix }: InteropPlace, content: string, properties: object): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  channel.publish(`${prefix}.gift.sent`, '38', Buffer.from(content), properties);
  await channel.waitForConfirms();
  await connection.close();
}

async function overKafka(
  { url, prefix }: InteropPlace,
  { key, value, headers }: { key?: unknown; value: unknown; headers: object },
): Promise<void> {
  // prettier-ignore
  const producer = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.ERROR }).producer();
  await producer.connect();
  const written = Object.entries(headers).filter(([, header]) => header !== undefined); // its unset attributes
  const record = { key: key as string, value: text(value), headers: Object.fromEntries(written) as Record<string, string> }; // prettier-ignore
  await producer.send({ topic: `${prefix}.gift.sent`, messages: [record] });
  await producer.disconnect();
}

async function overRedis({ url }: InteropPlace, ...command: [string, ...string[]]): Promise<void> {
  const redis = new Redis(url);
  await redis.call(...command);
  await redis.quit();
}

describe.each([
  ['rabbitmq', 'rabbitmq', 'binary', (place: InteropPlace, sent: Event) => overAmqp(place, text(sent.data), { contentType: 'application/json', headers: attributesOf(sent, 'cloudEvents:') })], // prettier-ignore
  [
    'rabbitmq',
    'rabbitmq',
    'structured',
    (place: InteropPlace, sent: Event) => {
      const { headers, body } = HTTP.structured(sent);
      return overAmqp(place, text(body), { contentType: headers['content-type'] });
    },
  ],
  [
    'kafka',
    'kafka',
    'binary',
    (place: InteropPlace, sent: Event) => overKafka(place, KafkaBinding.binary(sent) as never),
  ],
  [
    'kafka',
    'kafka',
    'structured',
    (place: InteropPlace, sent: Event) => overKafka(place, KafkaBinding.structured(sent) as never),
  ],
  [
    'redis',
    'redis',
    'as fields',
    (place: InteropPlace, sent: Event) =>
      overRedis(
        place,
        'XADD',
        `${place.prefix}:{gift.sent}:6`,
        '*',
        ...Object.entries({ ...attributesOf(sent), data: text(sent.data) }).flat(),
      ),
  ],
  [
    'redis',
    'redisList',
    'structured',
    (place: InteropPlace, sent: Event) =>
      overRedis(place, 'LPUSH', `${place.prefix}:list:{gift.sent}:g:ranking:queue`, sent.toString()),
  ],
] as const)('A CloudEvent of another library', (broker, transport, mode, send) => {
  describeOn(broker, `${transport}, ${mode}`, (url) => {
    const place = new InteropPlace(transport, url);
    const handled: { gift: typeof gift; context: MessageContext }[] = [];
    let app: INestApplicationContext | undefined;

    @Injectable()
    class RankGift {
      @OnMessage(GiftSent, { group: 'ranking', level: 'atLeastOnce' })
      rank(found: typeof gift, context: MessageContext): void {
        handled.push({ gift: found, context });
      }
    }

    afterAll(async () => {
      await app?.close();
      await place.remove({ 'gift.sent': ['ranking'] });
    }, 30_000);

    it('is handled', async () => {
      const messaging = MessagingModule.forRoot({ source: 'interop', transports: { main: place.open() } });
      app = await NestFactory.createApplicationContext({ module: class Interop {}, imports: [messaging], providers: [RankGift] }, { logger: false }); // prettier-ignore
      await send(place, event('foreign-1'));
      await until('it is handled', () => handled.length > 0, { withinMs: 20_000 });
      const { message } = handled[0]!.context;
      expect(handled[0]!.gift).toEqual(gift);
      expect(message).toMatchObject({ id: 'foreign-1', source: '/foreign/shop', type: 'gift.sent', version: 1, key: 'room-7', bucket: null, contentType: 'application/json' }); // prettier-ignore
      expect(message.headers['traceparent']).toContain('0af7651916cd43dd8448eb211c80319c');
    }, 60_000);
  });
});
