import { systemClock } from '@tidings/core';
import { type Admin, type Cluster, type Kafka, type KafkaMessage } from 'kafkajs';
import { codeOfKafka, type CommittedOffset, type FetchedRecord, type KafkaAdmin, type TopicPlan } from './kafka-client';
import { headersOf } from './kafkajs-consumer';
import { sharedPartitionsAssigner } from './shared-partitions.assigner';

interface Session {
  readonly admin: Admin;
  /** What a consumer stands on, which can ask more than kafkajs's admin; this one joins no group. */
  readonly cluster: Cluster;
  readonly close: () => Promise<void>;
  /** Calls under way: one that fails must not close the connection under the others. */
  uses: number;
}

/** A broker that has just started, or a group's coordinator that moves. */
const PASSING = new Set(['COORDINATOR_LOAD_IN_PROGRESS', 'GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION']); // prettier-ignore
const TRIES = 5;
const READ_BYTES = 1024 * 1024;

/** A session is given up at the first error: a kafkajs client that once asked for a topic fails for ever when the topic is gone. */
export class KafkaJsAdmin implements KafkaAdmin {
  #session: Promise<Session> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly kafka: Kafka) {}

  async probe(): Promise<void> {
    await this.#use(({ admin }) => admin.describeCluster());
  }

  async partitions(topic: string): Promise<number> {
    return this.#inTurn(async ({ admin }) => {
      try {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        const partitions = topics[0]?.partitions ?? [];
        return partitions.every(({ leader }) => leader >= 0) ? partitions.length : 0;
      } catch (error) {
        if (codeOfKafka(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return 0;
        throw error;
      }
    });
  }

  async create(topics: readonly TopicPlan[]): Promise<void> {
    await this.#inTurn(({ admin }) =>
      admin.createTopics({
        waitForLeaders: false,
        topics: topics.map(({ topic, partitions, replicas, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replicas,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      }),
    );
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      if ((await this.partitions(topic)) === 0) continue;
      try {
        await this.#inTurn(({ admin }) => admin.deleteTopics({ topics: [topic] }));
      } catch (error) {
        if (codeOfKafka(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error; // the broker that was asked had not heard of it yet
      }
    }
  }

  async deleteGroup(groupId: string): Promise<void> {
    try {
      await this.#use(({ admin }) => admin.deleteGroups([groupId]));
    } catch (error) {
      if (!isGroupMissing(error)) throw error;
    }
  }

  async ends(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    const offsets = await this.#inTurn(({ admin }) => admin.fetchTopicOffsets(topic));
    return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
  }

  async offsetsAt(topic: string, timeMs: number): Promise<{ partition: number; offset: number }[]> {
    const offsets = await this.#inTurn(({ admin }) => admin.fetchTopicOffsetsByTimestamp(topic, timeMs));
    return offsets.map(({ partition, offset }) => ({ partition, offset: Number(offset) }));
  }

  async committed(groupId: string, topic: string, partitions: number): Promise<CommittedOffset[]> {
    const asked = Array.from({ length: partitions }, (_, partition) => ({ partition, offset: '-1' }));
    const { responses } = await this.#use(async ({ cluster }) =>
      (await cluster.findGroupCoordinator({ groupId })).offsetFetch({
        groupId,
        topics: [{ topic, partitions: asked }],
      }),
    );
    return responses.flatMap(({ partitions: found }) =>
      (found as { partition: number; offset: string; metadata?: string | null }[]).map(
        ({ partition, offset, metadata }) => ({ topic, partition, offset: Number(offset), metadata: metadata ?? '' }),
      ),
    );
  }

  async commit(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const topics = [...new Set(offsets.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: offsets
        .filter((offset) => offset.topic === topic)
        .map(({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata })),
    }));
    await this.#use(async ({ cluster }): Promise<unknown> =>
      (await cluster.findGroupCoordinator({ groupId })).offsetCommit({
        groupId,
        groupGenerationId: -1,
        memberId: '',
        topics: topics,
      }),
    );
  }

  async read(topic: string, partition: number, offset: number): Promise<FetchedRecord[]> {
    return this.#inTurn(async ({ cluster }) => {
      await cluster.addTargetTopic(topic);
      const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
      const broker = await cluster.findBroker({ nodeId: leader ?? '' });
      const { responses } = (await broker.fetch({
        maxWaitTime: 100,
        minBytes: 1,
        maxBytes: READ_BYTES,
        isolationLevel: 1,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: READ_BYTES }] }],
        rackId: '',
      })) as { responses: { partitions: { messages: (KafkaMessage & { isControlRecord?: boolean })[] }[] }[] };
      return responses
        .flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages))
        .filter((message) => message.isControlRecord !== true && Number(message.offset) >= offset)
        .map((message) => ({
          topic,
          partition,
          offset: Number(message.offset),
          key: message.key,
          value: message.value,
          headers: headersOf(message.headers),
        }));
    });
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await (await session?.catch(() => undefined))?.close();
  }

  /**
   * kafkajs knows the leaders of those topics alone that it was asked for last: two calls at once forget each other's. What makes or deletes a topic
   * asks for all leaders anew, and its answer may come late and lack the topic of a call that began after it.
   */
  #inTurn<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(() => this.#use(work));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #use<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      const opening = (this.#session ??= this.#open());
      const session = await opening.catch((error: unknown) => {
        if (this.#session === opening) this.#session = undefined;
        throw error;
      });
      session.uses += 1;
      try {
        return await work(session);
      } catch (error) {
        if (this.#session === opening) this.#session = undefined;
        if (tries === TRIES || !PASSING.has(codeOfKafka(error) ?? '')) throw error;
        await systemClock.wait(100 * tries);
      } finally {
        session.uses -= 1;
        if (session.uses === 0 && this.#session !== opening) void session.close();
      }
    }
  }

  async #open(): Promise<Session> {
    let cluster: Cluster | undefined;
    const admin = this.kafka.admin();
    const consumer = this.kafka.consumer({
      groupId: 'tidings-admin',
      allowAutoTopicCreation: false,
      partitionAssigners: [sharedPartitionsAssigner((seen) => (cluster = seen))],
    });
    const close = async (): Promise<void> => {
      await Promise.allSettled([admin.disconnect(), consumer.disconnect()]);
    };
    try {
      await Promise.all([admin.connect(), consumer.connect()]);
      return { admin, cluster: cluster!, close, uses: 0 };
    } catch (error) {
      void close();
      throw error;
    }
  }
}

const isGroupMissing = (error: unknown): boolean => {
  if (codeOfKafka(error) === 'GROUP_ID_NOT_FOUND') return true;
  const { groups } = error as { readonly groups?: readonly { readonly error?: unknown }[] };
  return groups?.every(({ error: inner }) => codeOfKafka(inner) === 'GROUP_ID_NOT_FOUND') === true;
};
