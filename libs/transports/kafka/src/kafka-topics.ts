import { TidingsError } from '@tidings/core';
import { codeOfKafka, type KafkaAdmin, type TopicPlan } from './client/kafka-client';
import type { KafkaSettings } from './kafka.options';
import type { KafkaNames } from './kafka-names';

/** Headers and Kafka's own framing beside the payload. */
const OVERHEAD_BYTES = 64 * 1024;
/** A topic that got more partitions is seen by then. */
const SEEN_MS = 60_000;
const MADE_MS = 20;

/** Makes topics where they are missing, and remembers how many partitions they have. */
export class KafkaTopics {
  readonly #seen = new Map<string, { readonly partitions: Promise<number>; readonly untilMs: number }>();

  constructor(
    private readonly admin: KafkaAdmin,
    private readonly names: KafkaNames,
    private readonly settings: KafkaSettings,
  ) {}

  /** The number of its partitions, 0: there is none and none may be created. */
  topic(topic: string): Promise<number> {
    return this.#known(this.names.topic(topic), async (name) => {
      const found = await this.admin.partitions(name);
      if (found > 0 || !this.settings.createTopics) return found;
      const { partitions, replicas, config } = this.settings.topics[topic] ?? {};
      return this.#create(name, partitions ?? this.settings.partitions, replicas, config);
    });
  }

  /** As many partitions as its topic, so that a key's number is the same on both. */
  group(topic: string, group: string): Promise<number> {
    return this.#known(this.names.group(topic, group), async (name) => {
      const found = await this.admin.partitions(name);
      if (found > 0) return found;
      return this.#create(name, await this.topic(topic), this.settings.topics[topic]?.replicas);
    });
  }

  dead(topic: string, group: string): Promise<number> {
    return this.#known(this.names.dead(topic, group), async (name) => {
      const found = await this.admin.partitions(name);
      // Until somebody has taken care of them, whatever the broker keeps other topics for.
      return found > 0 ? found : this.#create(name, 1, this.settings.topics[topic]?.replicas, { 'retention.ms': '-1' });
    });
  }

  /** Whatever its name stands for: whether it is there. Creates nothing. */
  existing(name: string): Promise<number> {
    return this.#known(name, () => this.admin.partitions(name));
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }

  #known(name: string, ask: (name: string) => Promise<number>): Promise<number> {
    const seen = this.#seen.get(name);
    const nowMs = this.settings.clock.monotonic();
    if (seen && seen.untilMs > nowMs) return seen.partitions;
    const partitions = ask(name);
    this.#seen.set(name, { partitions, untilMs: nowMs + SEEN_MS });
    const forget = (): void => {
      if (this.#seen.get(name)?.partitions === partitions) this.#seen.delete(name);
    };
    partitions.then((count) => void (count === 0 && forget()), forget);
    return partitions;
  }

  async #create(
    topic: string,
    partitions: number,
    replicas = this.settings.replicas ?? -1,
    config: TopicPlan['config'] = {},
  ): Promise<number> {
    const limit = { 'max.message.bytes': String(this.settings.maxMessageBytes + OVERHEAD_BYTES) };
    try {
      await this.admin.create([{ topic, partitions, replicas, config: { ...limit, ...config } }]);
    } catch (error) {
      if (codeOfKafka(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
    }
    return this.#made(topic); // another process may have been first, with another number
  }

  /** The broker that is asked may hear of a topic later than the one that made it. */
  async #made(topic: string): Promise<number> {
    const { clock, connectTimeoutMs } = this.settings;
    const deadlineMs = clock.monotonic() + connectTimeoutMs;
    for (;;) {
      const partitions = await this.admin.partitions(topic);
      if (partitions > 0) return partitions;
      if (clock.monotonic() > deadlineMs)
        throw new TidingsError(
          'TIDINGS_KAFKA_TOPIC',
          `kafka: topic ${topic} was created, and has no leaders after ${connectTimeoutMs} ms; look at the cluster's health`,
        );
      await clock.wait(MADE_MS);
    }
  }
}
