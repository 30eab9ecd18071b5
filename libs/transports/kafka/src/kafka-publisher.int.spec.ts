import type { Message, PublishResult, Subscription } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { type Admin, ConfigResourceTypes } from 'kafkajs';
import { codeOfKafka } from './client/kafka-client';
import type { KafkaTransport } from './kafka.transport';
import { SpecBroker } from './spec-broker.fixture';

const subscription = (topic: string): Subscription => ({
  topic,
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 4,
  from: 'earliest',
});

const LONG_MS = 60_000;
const isPassing = (error: unknown): boolean => codeOfKafka(error) === 'NOT_LEADER_FOR_PARTITION';

describeOn('kafka', 'publishing to Kafka', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(() => broker.closeTransports(), 30_000);
  afterAll(() => broker.close(), 30_000);

  const publish = (transport: KafkaTransport, messages: readonly Message[]): Promise<readonly PublishResult[]> =>
    transport.publish(messages.map((message) => ({ message })));

  const withAdmin = async <Result>(ask: (admin: Admin) => Promise<Result>) => {
    const admin = broker.kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  };

  /** How many records each partition has got. */
  const counts = async (topic: string): Promise<number[]> => {
    let ends: Awaited<ReturnType<Admin['fetchTopicOffsets']>> = [];
    const answered = async (): Promise<boolean> => {
      ends = await withAdmin((admin) => admin.fetchTopicOffsets(broker.names.topic(topic)));
      return true;
    };
    // The broker makes a leader of itself a moment after the topic is there.
    await until('the topic has leaders', () => answered().catch((error: unknown) => !isPassing(error) && Promise.reject(error as Error))); // prettier-ignore
    return [...ends].sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  };

  it(
    'round-robin deals a key’s messages out; a topic’s own rule names the partition; a number that there is not is told',
    async () => {
      const transport = await broker.connected({
        // Counts to one: kafkajs repeats a request for all its partitions when one of a new topic has no leader yet.
        idempotent: true,
        topics: {
          'gift.dealt': { partition: 'round-robin' },
          'gift.named': {
            partition: ({ key }, partitions) => (key === 'vip' ? partitions - 1 : key === 'bad' ? 7 : 0),
          },
        },
      });
      const dealt = Array.from({ length: 12 }, () => testMessage({ topic: 'gift.dealt', key: 'room-7' }));
      for (const message of dealt) await publish(transport, [message]);
      expect(await counts('gift.dealt')).toEqual([3, 3, 3, 3]);
      const named = ['vip', 'other', 'vip', 'vip'].map((key) => testMessage({ topic: 'gift.named', key }));
      expect(new Set((await publish(transport, named)).map(({ outcome }) => outcome))).toEqual(new Set(['confirmed']));
      expect(await counts('gift.named')).toEqual([1, 0, 0, 3]);
      const [result] = await publish(transport, [testMessage({ topic: 'gift.named', key: 'bad' })]);
      expect(result).toMatchObject({ outcome: 'failed', error: { code: 'TIDINGS_KAFKA_PARTITION' } });
      const ordered = { ...subscription('gift.dealt'), ordered: true };
      await expect(transport.subscribe(ordered, recordingReceive().receive)).rejects.toThrow(/round-robin.*ordered/);
    },
    LONG_MS,
  );

  it.each([
    ['all', true],
    [1, 'acks is 1: .*before a follower has the record'],
    [0, 'acks is 0: .*does not answer at all'],
  ] as const)(
    'acks %s: published is received, and `durable` says what it loses',
    async (acks, durable) => {
      const topic = `gift.acks-${acks}`;
      const transport = await broker.connected({ acks });
      const recording = recordingReceive();
      await transport.subscribe(subscription(topic), recording.receive);
      const messages = Array.from({ length: 20 }, () => testMessage({ topic }));
      expect(new Set((await publish(transport, messages)).map(({ outcome }) => outcome))).toEqual(new Set(['confirmed'])); // prettier-ignore
      await recording.receivedAll(messages.map(({ id }) => id));
      const { durable: told } = transport.capabilities;
      if (durable === true) expect(told).toBe(true);
      else expect(told).toMatch(new RegExp(durable));
    },
    LONG_MS,
  );

  it.each([
    ['idempotent', true, 1],
    ['not idempotent', false, 2],
  ] as const)(
    'a record that was written and whose answer was lost, %s: what the client repeats',
    async (name, idempotent, records) => {
      const topic = `gift.${name.replace(' ', '-')}`;
      const transport = await broker.connected({ idempotent, partitions: 1 });
      await publish(transport, [testMessage({ topic })]);
      expect(await counts(topic)).toEqual([1]);
      broker.proxy.mute();
      const publishing = publish(transport, [testMessage({ topic })]);
      await until('the record is written', async () => (await counts(topic))[0] === 2);
      broker.proxy.cut();
      expect(await publishing).toEqual([{ outcome: 'confirmed' }]);
      expect(await counts(topic)).toEqual([1 + records]);
    },
    LONG_MS,
  );

  it(
    'topics are created as they are told: partitions, replicas, settings; and not at all where that is forbidden',
    async () => {
      const config = { 'retention.ms': '86400000' };
      const transport = await broker.connected({ topics: { 'gift.made': { partitions: 3, replicas: 1, config } } });
      await publish(transport, [testMessage({ topic: 'gift.made' })]);
      const name = broker.names.topic('gift.made');
      const [metadata, described] = await withAdmin((admin) =>
        Promise.all([
          admin.fetchTopicMetadata({ topics: [name] }),
          admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name }] }),
        ]),
      );
      const partitions = metadata.topics[0]?.partitions ?? [];
      expect(partitions.map(({ replicas }) => replicas.length)).toEqual([1, 1, 1]);
      const setting = (key: string) => described.resources[0]?.configEntries.find(({ configName }) => configName === key)?.configValue; // prettier-ignore
      expect(setting('retention.ms')).toBe('86400000');
      expect(Number(setting('max.message.bytes'))).toBeGreaterThan(1024 * 1024);

      const tooMany = await broker.connected({ topics: { 'gift.copied': { replicas: 9 } } });
      expect((await publish(tooMany, [testMessage({ topic: 'gift.copied' })]))[0]).toMatchObject({ outcome: 'failed' });
      const forbidden = await broker.connected({ createTopics: false });
      const [result] = await publish(forbidden, [testMessage({ topic: 'gift.unmade' })]);
      expect(result).toMatchObject({ outcome: 'failed', reason: 'unroutable' });
    },
    LONG_MS,
  );

  it(
    'gzip: a topic that takes only small records takes a large payload that shrinks, and its bytes arrive',
    async () => {
      const topic = 'gift.packed';
      const topics = { [topic]: { config: { 'max.message.bytes': '10000' } } };
      const large = () => testMessage({ topic, payload: Buffer.alloc(200_000, 'gift') });
      const plain = await broker.connected({ topics });
      expect((await publish(plain, [large()]))[0]).toMatchObject({ outcome: 'failed', reason: 'too-large' });
      const packing = await broker.connected({ topics, compression: 'gzip' });
      const recording = recordingReceive();
      await packing.subscribe(subscription(topic), recording.receive);
      const message = large();
      expect(await publish(packing, [message])).toEqual([{ outcome: 'confirmed' }]);
      await recording.receivedAll([message.id]);
      expect(Buffer.compare(recording.deliveries[0]!.message.payload, message.payload)).toBe(0);
    },
    LONG_MS,
  );
});
