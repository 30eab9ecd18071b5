import { asError, CLOSE_MS, endedWithin } from '@tidings/core';
import type { Cluster, Consumer, EachBatchPayload, IHeaders, Kafka } from 'kafkajs';
import type { KafkaSettings } from '../kafka.options';
import type {
  CommittedOffset,
  KafkaConsumer,
  KafkaConsumerEvents,
  KafkaConsumerPlan,
  KafkaHeaders,
  TopicPartition,
} from './kafka-client';
import { RETRIES } from './kafkajs-client';
import { sharedPartitionsAssigner } from './shared-partitions.assigner';

/**
 * kafkajs joins a group anew without asking anybody. What it asks first is where the group's coordinator is, so that is where a rebalance waits for
 * those who drain. Batches are handed over and return at once, whatever their handlers do: its loop stays free to show that this consumer lives.
 */
export class KafkaJsConsumer implements KafkaConsumer {
  readonly #consumer: Consumer;
  #ended = false;
  /** Resolves when the group is joined for the first time, which may take as long as others need to give up their partitions. */
  #joining: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(
    kafka: Kafka,
    private readonly plan: KafkaConsumerPlan,
    private readonly events: KafkaConsumerEvents,
    private readonly settings: KafkaSettings,
  ) {
    this.#consumer = kafka.consumer({
      groupId: plan.groupId,
      partitionAssigners: [sharedPartitionsAssigner((cluster) => this.#waitBeforeJoins(cluster))],
      sessionTimeout: settings.sessionTimeoutMs,
      rebalanceTimeout: Math.max(60_000, settings.sessionTimeoutMs),
      heartbeatInterval: settings.heartbeatMs,
      maxWaitTimeInMs: settings.fetchWaitMs,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      retry: { ...RETRIES, restartOnFailure: () => Promise.resolve(false) }, // whoever hears of the crash begins anew, topics and all
    });
    const { GROUP_JOIN, HEARTBEAT, FETCH, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      const partitions = Object.entries(memberAssignment).flatMap(([topic, numbers]) =>
        numbers.map((partition) => ({ topic, partition })),
      );
      if (!this.#ended) this.events.assigned(partitions);
      this.events.alive();
    });
    this.#consumer.on(HEARTBEAT, () => this.events.alive());
    this.#consumer.on(FETCH, () => this.events.alive());
    this.#consumer.on(CRASH, ({ payload: { error } }) => this.#crashed(error));
  }

  async start(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.plan.topics], fromBeginning: true });
    this.#joining = this.#consumer
      .run({ autoCommit: false, eachBatch: (payload) => this.#hand(payload) })
      .catch((thrown: unknown) => this.#crashed(asError(thrown)));
  }

  commit(offsets: readonly CommittedOffset[]): Promise<void> {
    return this.#consumer.commitOffsets(offsets.map(({ offset, ...rest }) => ({ ...rest, offset: String(offset) })));
  }

  pause({ topic, partition }: TopicPartition): void {
    if (!this.#ended) this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  resume({ topic, partition }: TopicPartition): void {
    if (!this.#ended) this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#ended = true;
    // kafkajs leaves no group that it is about to join: the broker would take it in, and keep its partitions for a session time-out.
    await endedWithin(this.settings.clock, 2 * CLOSE_MS, this.#joining);
    await this.#consumer.disconnect();
  }

  #crashed(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.events.crashed(error);
  }

  #waitBeforeJoins(cluster: Cluster): void {
    const find = cluster.findGroupCoordinator.bind(cluster);
    cluster.findGroupCoordinator = async (group) => {
      await this.events.beforeJoin();
      return find(group);
    };
  }

  async #hand(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const { topic, partition } = batch;
    const records = batch.messages.map(({ key, value, offset, headers }) => ({
      topic,
      partition,
      offset: Number(offset),
      key,
      value,
      headers: headersOf(headers),
    }));
    await this.events.records(records, Number(batch.highWatermark));
    await payload.heartbeat();
  }
}

export const headersOf = (headers: IHeaders | undefined): KafkaHeaders => ({ ...headers });
