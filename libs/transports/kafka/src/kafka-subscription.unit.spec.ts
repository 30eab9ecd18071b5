import { accept } from '@tidings/core';
import { testMessage } from '@tidings/testing';
import type {
  CommittedOffset,
  KafkaAdmin,
  KafkaClient,
  KafkaConsumer,
  KafkaConsumerEvents,
} from './client/kafka-client';
import { KafkaNames } from './kafka-names';
import { kafkaSettings } from './kafka.options';
import { KafkaSubscription } from './kafka-subscription';
import { toKafka } from './kafka-mapping';
import type { KafkaTopics } from './kafka-topics';
import type { SettlementFiler } from './settlement-filer';

const TOPIC = 'tidings.gift.sent';

describe('a Kafka subscription between two generations', () => {
  it('commits what its last handler has done before it gives the partition up', async () => {
    const committed: CommittedOffset[] = [];
    let events!: KafkaConsumerEvents;
    const consumer: KafkaConsumer = {
      start: () => Promise.resolve(),
      commit: (offsets) => Promise.resolve(void committed.push(...offsets)),
      pause: () => undefined,
      resume: () => undefined,
      close: () => Promise.resolve(),
    };
    const client: Partial<KafkaClient> = {
      consumer: (_plan, told) => {
        events = told;
        void Promise.resolve().then(() => told.assigned([{ topic: TOPIC, partition: 0 }]));
        return consumer;
      },
    };
    const admin: Partial<KafkaAdmin> = {
      ends: () => Promise.resolve([{ partition: 0, low: 0, high: 0 }]),
      committed: (_group, topic) => Promise.resolve([{ topic, partition: 0, offset: 0, metadata: '' }]),
    };
    const topics: Partial<KafkaTopics> = { topic: () => Promise.resolve(1), group: () => Promise.resolve(1) };
    let finish!: () => void;
    const handler = new Promise<void>((resolve) => (finish = resolve));
    let begun!: () => void;
    const started = new Promise<void>((resolve) => (begun = resolve));
    const subscription = new KafkaSubscription(
      { topic: 'gift.sent', group: 'ranking', ordered: true, broadcast: false, concurrency: 1, from: 'earliest' },
      async () => {
        begun();
        await handler;
        return accept;
      },
      client as KafkaClient,
      admin as KafkaAdmin,
      topics as KafkaTopics,
      {} as SettlementFiler,
      new KafkaNames('tidings'),
      kafkaSettings({ urls: ['kafka://127.0.0.1:9092'] }),
    );
    await subscription.start();
    const record = { topic: TOPIC, partition: 0, offset: 0, ...toKafka({ message: testMessage({ key: 'room-7' }) }) };
    await events.records([record], 1);
    await started;
    const rejoining = events.beforeJoin();
    finish();
    await rejoining;
    expect(committed.filter(({ topic }) => topic === TOPIC).at(-1)).toEqual({ topic: TOPIC, partition: 0, offset: 1, metadata: 'closed;;' }); // prettier-ignore
    await subscription.stop(0);
  });
});
