import {
  type ActiveSubscription,
  type Capabilities,
  type DeadLetterSource,
  endedWithin,
  type GroupDirectory,
  type HeldPublish,
  type Message,
  type NativeDeadLetter,
  type NativeDeadLetters,
  type OutgoingMessage,
  type PublishResult,
  type Receive,
  type Subscription,
  type TopologyRemoval,
  type Transport,
  type TransportHealth,
  type TwoPhaseAnswer,
  type TwoPhasePublish,
} from '@tidings/core';
import { BrokerAdmin } from './broker-admin';
import { type Bury, DeadLetterTaker } from './dead-letter-taker';
import { HalfMessages } from './half-messages';
import { letterOf } from './native-dead-letters';
import { Reachability } from './reachability';
import { RocketMqClosedError } from './rocketmq.errors';
import { type RocketMqOptions, rocketMqSettings, type RocketMqSettings } from './rocketmq.options';
import { RocketMqNames } from './rocketmq-names';
import { RocketMqPublisher } from './rocketmq-publisher';
import { RocketMqSubscription } from './rocketmq-subscriber';
import { SettlementFiler } from './settlement-filer';

/** The documents are RocketMQ's, by title. */
export const ROCKETMQ_CAPABILITIES: Capabilities = Object.freeze({
  /** As durable as the broker flushes and replicates: by default asynchronously, to one disk ("Broker configuration", `flushDiskType`). */
  durable: true,
  ordered: true,
  broadcast: true,
  delay: true,
  /** Told by the group's places on the topic, asked before a publish. */
  unroutable: true,
  attempts: true,
  replay: true,
  deadLetters: true,
  largePayload: true,
  processes: true,
});

/** What may be at the broker still after a stop. */
interface Ending {
  readonly ended: Promise<void>;
}

/** RocketMQ 5 by its gRPC proxy; topics and groups by the brokers' own protocol. */
export class RocketMqTransport
  implements Transport, NativeDeadLetters, DeadLetterSource, GroupDirectory, TopologyRemoval, TwoPhasePublish
{
  readonly kind = 'rocketmq';
  readonly capabilities = ROCKETMQ_CAPABILITIES;
  readonly #settings: RocketMqSettings;
  readonly #names: RocketMqNames;
  readonly #admin: BrokerAdmin;
  readonly #reachability: Reachability;
  readonly #publisher: RocketMqPublisher;
  readonly #filer: SettlementFiler;
  readonly #halves: HalfMessages;
  readonly #subscriptions = new Set<RocketMqSubscription>();
  readonly #takers = new Set<DeadLetterTaker>();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #ending: Promise<void> = Promise.resolve();

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RocketMqOptions) {
    this.#settings = rocketMqSettings(options);
    this.#names = new RocketMqNames(this.#settings.prefix);
    this.#admin = new BrokerAdmin(this.#settings);
    this.#reachability = new Reachability(this.#settings);
    this.#publisher = new RocketMqPublisher(this.#reachability, this.#admin, this.#names, this.#settings);
    this.#filer = new SettlementFiler(this.#publisher, this.#names, this.#settings);
    this.#halves = new HalfMessages(this.#publisher.places, this.#names, this.#settings);
  }

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new RocketMqClosedError('connect'));
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    await this.#reachability.ask();
    await this.#publisher.start();
  }

  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#publisher.publish(messages);
  }

  /** Connects first, if nobody has. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    await this.connect();
    const active = new RocketMqSubscription(
      subscription,
      receive,
      this.#admin,
      this.#filer,
      this.#reachability,
      this.#names,
      this.#settings,
    );
    this.#subscriptions.add(active);
    try {
      await active.start();
    } catch (error) {
      await active.stop(0);
      throw error;
    } finally {
      void active.ended.then(() => this.#subscriptions.delete(active));
    }
    return active;
  }

  /** What the group rejected and what the broker gave up of it, but not what a process is burying right now. */
  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    const burier = this.#names.burier(topic, group);
    await this.#admin.ensureGroup(burier, { ordered: false, deliveries: 100_000 });
    const letters = [];
    for (const dead of [this.#names.dead(topic, group), this.#names.brokersDead(topic, group)])
      letters.push(...(await this.#admin.read(dead, burier, limit)));
    letters.sort((a, b) => a.storedAt - b.storedAt);
    return letters.slice(0, limit).map((stored) => letterOf(stored, topic, stored.reconsumed));
  }

  /** Connects first, if nobody has. */
  async takeDeadLetters(topic: string, group: string, bury: Bury): Promise<{ readonly stop: () => Promise<void> }> {
    await this.connect();
    const taker = new DeadLetterTaker(
      { topic, group },
      bury,
      this.#admin,
      this.#reachability,
      this.#names,
      this.#settings,
    );
    this.#takers.add(taker);
    void taker.ended.then(() => this.#takers.delete(taker));
    try {
      await taker.start();
    } catch (error) {
      await taker.stop();
      throw error;
    }
    return taker;
  }

  /** By its place on the topic, which a group has since it was declared, and may leave there for some minutes when it is deleted. */
  async hasGroup(topic: string, group: string): Promise<boolean> {
    const native = this.#names.group(topic, group);
    return (await this.#admin.groupsOf(this.#names.topic(topic))).has(native) && this.#admin.hasGroup(native);
  }

  /** As a half message, on a topic of its own that subscribers read by the option `halfMessages`; without the order of its key. */
  async prepare(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'route'>): Promise<HeldPublish> {
    await this.connect();
    return this.#halves.prepare(outgoing);
  }

  async answerChecks(topic: string, answer: (message: Message) => Promise<TwoPhaseAnswer>): Promise<void> {
    await this.connect();
    await this.#halves.answer(topic, answer);
  }

  /**
   * Waits for receives that its own stopped subscriptions left at the broker: they would bring the groups back.
   */
  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    const names = this.#names;
    const ours = [...this.#subscriptions].filter(
      ({ subscription, stopping }) => subscription.topic === topic && stopping,
    );
    await Promise.all(ours.map(({ ended }) => ended));
    const places = [names.topic(topic), names.delay(topic), names.half(topic)];
    const instances = new Set(
      (await Promise.all(places.map((place) => this.#admin.groupsOf(place)))).flatMap((found) => [...found]),
    );
    const native = groups.map((group) => names.group(topic, group));
    const belongs = (found: string): boolean => native.some((group) => found.startsWith(`${group}__`));
    for (const group of groups) {
      await this.#admin.deleteTopic(names.dead(topic, group));
      await this.#admin.deleteTopic(names.brokersDead(topic, group));
      await this.#admin.deleteGroup(names.burier(topic, group));
    }
    for (const place of places) await this.#admin.deleteTopic(place);
    for (const group of [...native, ...[...instances].filter(belongs)]) await this.#admin.deleteGroup(group);
    for (const place of places) this.#publisher.places.forget(place);
  }

  health(): TransportHealth {
    return { up: this.#reachability.up, detail: this.#reachability.detail };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** When the last receive has ended that waited at the broker as this was closed. */
  async ended(): Promise<void> {
    await this.#closing;
    await this.#ending;
  }

  async #close(): Promise<void> {
    const { clock, drainMs, handBackMs } = this.#settings;
    await Promise.all([
      ...[...this.#subscriptions].map((active) => active.stop(drainMs)),
      ...[...this.#takers].map((taker) => taker.stop()),
    ]);
    await this.#halves.end();
    await this.#publisher.drain();
    await this.#reachability.close();
    await this.#connecting?.catch(() => undefined);
    this.#ending = this.#end([...this.#subscriptions, ...this.#takers]);
    await endedWithin(clock, handBackMs, this.#ending);
  }

  /** The producer last: what a late receive brings is handed back by it. */
  async #end(all: readonly Ending[]): Promise<void> {
    await Promise.all(all.map((one) => one.ended));
    await this.#publisher.end();
  }
}

/**
 * RocketMQ as a transport.
 *
 * @throws OptionsError that names the bad option, as `rocketmq.urls`.
 */
export const rocketmq = (options: RocketMqOptions): RocketMqTransport => new RocketMqTransport(options);
