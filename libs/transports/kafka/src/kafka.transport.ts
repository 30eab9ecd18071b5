import {
  type ActiveSubscription,
  asError,
  type Capabilities,
  CLOSE_MS,
  type DeadLetterSource,
  endedWithin,
  type GroupDirectory,
  type NativeDeadLetter,
  type NativeDeadLetters,
  OptionsError,
  type OutgoingMessage,
  PeriodicTask,
  type PublishResult,
  type Receive,
  type Subscription,
  type TopologyRemoval,
  type Transport,
  type TransportHealth,
} from '@tidings/core';
import type { CommittedOffset, KafkaAdmin, KafkaClient } from './client/kafka-client';
import { KafkaJsClient } from './client/kafkajs-client';
import { type Bury, DeadLetterTaker } from './dead-letter-taker';
import { hasPlace, isGroupActive } from './group-offsets';
import { kafkaCapabilities } from './kafka-capabilities';
import { GroupActiveError, KafkaClosedError, KafkaConnectError } from './kafka.errors';
import { brokersOf, type KafkaOptions, kafkaSettings, type KafkaSettings } from './kafka.options';
import { KafkaNames } from './kafka-names';
import { KafkaPublisher } from './kafka-publisher';
import { KafkaSubscription } from './kafka-subscription';
import { KafkaTopics } from './kafka-topics';
import { readDeadLetters } from './native-dead-letters';
import { SettlementFiler } from './settlement-filer';

/** Where a group goes back to, or on to. */
export type RewindTo =
  | 'earliest'
  | 'now'
  /** The first message at or after this instant. */
  | { readonly timeMs: number }
  /** Offsets by partition; the others stay. */
  | { readonly offsets: Readonly<Record<number, number>> };

const PROBE_MS = 10_000;

/** Kafka from 2.4 on. */
export class KafkaTransport implements Transport, NativeDeadLetters, DeadLetterSource, GroupDirectory, TopologyRemoval {
  readonly kind = 'kafka';
  readonly capabilities: Capabilities;
  readonly #settings: KafkaSettings;
  readonly #names: KafkaNames;
  readonly #client: KafkaClient;
  readonly #admin: KafkaAdmin;
  readonly #topics: KafkaTopics;
  readonly #publisher: KafkaPublisher;
  readonly #filer: SettlementFiler;
  readonly #subscriptions = new Set<KafkaSubscription>();
  readonly #takers = new Set<DeadLetterTaker>();
  readonly #probing: PeriodicTask;
  /** Why the brokers are taken for away; undefined: they are there. */
  #away: string | undefined = 'not connected';
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: KafkaOptions) {
    const settings = kafkaSettings(options);
    this.#settings = settings;
    this.capabilities = kafkaCapabilities(settings);
    this.#names = new KafkaNames(settings.prefix);
    this.#client = new KafkaJsClient(settings);
    this.#admin = this.#client.admin();
    this.#topics = new KafkaTopics(this.#admin, this.#names, settings);
    this.#publisher = new KafkaPublisher(this.#client, this.#topics, this.#names, settings, this.kind);
    this.#filer = new SettlementFiler(this.#publisher, this.#topics, this.#names, settings);
    this.#probing = new PeriodicTask({
      name: 'kafka health',
      everyMs: PROBE_MS,
      runOnce: () => this.#probe(),
      clock: settings.clock,
      logger: settings.logger,
    });
  }

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new KafkaClosedError('connect'));
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    try {
      await this.#admin.probe();
      await this.#publisher.start();
    } catch (thrown) {
      throw new KafkaConnectError(brokersOf(this.#settings), asError(thrown));
    }
    this.#away = undefined;
    if (!this.#closing) this.#probing.start();
  }

  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#publisher.publish(messages);
  }

  /** Connects first, if nobody has. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { topic, group, ordered } = subscription;
    if (ordered && this.#settings.topics[topic]?.partition === 'round-robin')
      throw new OptionsError(`kafka.topics.${topic}.partition`, `must not be round-robin: group ${group} is ordered, and a key's order is its partition's`); // prettier-ignore
    await this.connect();
    const active = new KafkaSubscription(
      subscription,
      receive,
      this.#client,
      this.#admin,
      this.#topics,
      this.#filer,
      this.#names,
      this.#settings,
    );
    this.#subscriptions.add(active);
    try {
      await active.start();
    } catch (error) {
      this.#subscriptions.delete(active);
      throw error;
    }
    return active;
  }

  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    await this.connect();
    return readDeadLetters(this.#admin, this.#names.dead(topic, group), topic, limit);
  }

  /** Connects first, if nobody has. */
  async takeDeadLetters(topic: string, group: string, bury: Bury): Promise<DeadLetterTaker> {
    await this.connect();
    const place = { name: this.#names.dead(topic, group), topic, group };
    const taker = new DeadLetterTaker(place, () => this.#topics.dead(topic, group), bury, this.#client, this.#settings);
    this.#takers.add(taker);
    await taker.start();
    return taker;
  }

  /** By its places, which the broker forgets when a group had no consumer for `offsets.retention.minutes`, a week by default. */
  async hasGroup(topic: string, group: string): Promise<boolean> {
    await this.connect();
    return hasPlace(this.#admin, this.#names.group(topic, group), this.#names.topic(topic));
  }

  /**
   * Replays: moves a durable group to where it shall read on, for its next consumer. The inbox drops what it has handled; a new group, or a redrive of
   * single messages, handles them once more. Connects first, if nobody has.
   *
   * @throws GroupActiveError while the group has consumers.
   */
  async rewind(topic: string, group: string, to: RewindTo): Promise<void> {
    await this.connect();
    const name = this.#names.topic(topic);
    const offsets = (await this.#offsetsOf(name, to)).map(({ partition, offset }): CommittedOffset => ({
      topic: name,
      partition,
      offset,
      metadata: '',
    }));
    try {
      if (offsets.length > 0) await this.#admin.commit(this.#names.group(topic, group), offsets);
    } catch (error) {
      throw isGroupActive(error) ? new GroupActiveError(topic, group, asError(error)) : error;
    }
  }

  async #offsetsOf(name: string, to: RewindTo): Promise<readonly { partition: number; offset: number }[]> {
    if (typeof to === 'string') {
      const ends = await this.#admin.ends(name);
      return ends.map(({ partition, low, high }) => ({ partition, offset: to === 'earliest' ? low : high }));
    }
    if ('timeMs' in to) return this.#admin.offsetsAt(name, to.timeMs).then((found) => [...found]);
    return Object.entries(to.offsets).map(([partition, offset]) => ({ partition: Number(partition), offset }));
  }

  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    await this.connect();
    const own = groups.flatMap((group) => [this.#names.dead(topic, group), this.#names.group(topic, group)]);
    for (const group of own) await this.#admin.deleteGroup(group);
    const topics = [...own, this.#names.topic(topic)];
    await this.#admin.deleteTopics(topics);
    for (const name of topics) this.#topics.forget(name);
  }

  health(): TransportHealth {
    const away = this.#away ?? (this.#publisher.failure && `publishing failed: ${this.#publisher.failure.message}`);
    const brokers = brokersOf(this.#settings).join(', ');
    return { up: away === undefined, detail: away === undefined ? `connected to ${brokers}` : `${brokers}: ${away}` };
  }

  /** A publish that failed is no longer the last word when a broker answers. */
  async #probe(): Promise<{ nextMs?: number }> {
    const { clock, connectTimeoutMs } = this.#settings;
    let error: Error | undefined;
    const probed = this.#admin.probe().catch((thrown: unknown) => void (error = asError(thrown)));
    if (!(await endedWithin(clock, connectTimeoutMs, probed))) error = new Error(`no answer in ${connectTimeoutMs} ms`);
    if (this.#closing) return {};
    this.#away = error && `no broker answers: ${error.message}`;
    if (!error) this.#publisher.failure = undefined;
    return error ? { nextMs: 1_000 } : {};
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    // In this order: a settlement may still have to publish its copy.
    const { clock, drainMs } = this.#settings;
    this.#away = 'closed';
    await endedWithin(clock, this.#settings.connectTimeoutMs, this.#connecting ?? Promise.resolve());
    await Promise.all([
      this.#probing.stop(),
      ...[...this.#subscriptions].map((active) => active.stop(drainMs)),
      ...[...this.#takers].map((taker) => taker.stop()),
    ]);
    await this.#publisher.stop();
    await endedWithin(clock, CLOSE_MS, this.#admin.close());
    this.#away = 'closed';
  }
}

/**
 * Kafka as a transport.
 *
 * @throws OptionsError that names the bad option, as `kafka.urls`.
 */
export const kafka = (options: KafkaOptions): KafkaTransport => new KafkaTransport(options);
