import {
  type ActiveSubscription,
  asError,
  type Capabilities,
  CapabilityError,
  type DeadLetterSource,
  endedWithin,
  failed,
  type GroupDirectory,
  type Message,
  type NativeDeadLetter,
  type NativeDeadLetters,
  type OutgoingMessage,
  type PublishResult,
  type PullSubscriber,
  type Receive,
  type ReplyAddress,
  type RequestReply,
  type Subscription,
  TidingsError,
  type TopologyRemoval,
  type Transport,
  type TransportHealth,
} from '@tidings/core';
import { type Bury, DeadLetterTaker } from './dead-letter-taker';
import { readDeadLetters } from './native-dead-letters';
import { RabbitMqClosedError } from './rabbitmq.errors';
import { type RabbitMqOptions, rabbitMqSettings, type RabbitMqSettings } from './rabbitmq.options';
import { RabbitMqConnection } from './rabbitmq-connection';
import { hasGroup } from './group-lookup';
import { RabbitMqNames } from './rabbitmq-names';
import { RabbitMqPull } from './rabbitmq-pull';
import { toAmqp } from './rabbitmq-mapping';
import { RabbitMqPublisher } from './rabbitmq-publisher';
import { RabbitMqReplies } from './rabbitmq-replies';
import { RabbitMqSubscription } from './rabbitmq-subscriber';
import { SettlementFiler } from './settlement-filer';
import { removeTopic } from './topic-removal';

/** The documents are RabbitMQ's, by title. */
export const RABBITMQ_CAPABILITIES: Capabilities = Object.freeze({
  /** Durable classic queues, persistent messages, confirms. On one node: a classic queue has no replica ("Classic Queues"). */
  durable: true,
  ordered: true,
  broadcast: true,
  delay: true,
  /** At publish. Of a delayed message only its delay queue is known then; nobody is told when it reaches none afterwards. */
  unroutable: true,
  attempts:
    'RabbitMQ ("Consumer Acknowledgements and Publisher Confirms") tells by one bit that a message was delivered before, not how often: the attempt that a consumer died in is not counted, nor are those of an ordered key before it',
  replay:
    'RabbitMQ ("Queues") keeps in a queue only what is routed after it was declared, until it is acknowledged; going back needs "Streams", which this transport does not use',
  deadLetters: true,
  largePayload: true,
  processes: true,
});

/** RabbitMQ from 3.8 on, by AMQP 0-9-1. */
export class RabbitMqTransport
  implements
    Transport,
    NativeDeadLetters,
    DeadLetterSource,
    PullSubscriber,
    RequestReply,
    GroupDirectory,
    TopologyRemoval
{
  readonly kind = 'rabbitmq';
  readonly capabilities = RABBITMQ_CAPABILITIES;
  readonly #settings: RabbitMqSettings;
  readonly #names: RabbitMqNames;
  readonly #publishing: RabbitMqConnection;
  readonly #consuming: RabbitMqConnection;
  readonly #publisher: RabbitMqPublisher;
  readonly #filer: SettlementFiler;
  readonly #subscriptions = new Set<RabbitMqSubscription>();
  readonly #takers = new Set<DeadLetterTaker>();
  readonly #replies = new Set<RabbitMqReplies>();
  readonly #pulls = new Set<Promise<number>>();
  readonly #pulling = new AbortController();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RabbitMqOptions) {
    this.#settings = rabbitMqSettings(options);
    this.#names = new RabbitMqNames(this.#settings.prefix);
    this.#publishing = new RabbitMqConnection('publish', this.#settings);
    this.#consuming = new RabbitMqConnection('consume', this.#settings);
    this.#publisher = new RabbitMqPublisher(this.#publishing, this.#names, this.#settings);
    this.#filer = new SettlementFiler(this.#publisher, this.#names, this.#settings);
  }

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new RabbitMqClosedError('connect'));
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    await Promise.all([this.#publishing.open(), this.#consuming.open()]);
    await this.#publisher.start();
  }

  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#publisher.publish(messages);
  }

  /** Connects first, if nobody has. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    if (subscription.from === 'earliest') {
      throw new CapabilityError(
        this.kind,
        'replay',
        `subscribe group ${subscription.group} on ${subscription.topic} from 'now'`,
      );
    }
    await this.connect();
    const active = new RabbitMqSubscription(
      subscription,
      receive,
      this.#consuming,
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

  /** Direct reply-to. */
  async openReplies(receive: (reply: Message) => void): Promise<ReplyAddress> {
    await this.connect();
    const replies = new RabbitMqReplies(receive, this.#publisher, this.#publishing, this.#settings);
    this.#replies.add(replies);
    await replies.open();
    return replies;
  }

  /** To a requester of any kind: a queue's name does as well. The broker tells nobody that an address is gone ("Direct Reply-to"). */
  async reply(to: string, reply: Message): Promise<PublishResult> {
    try {
      const letter = toAmqp({ message: reply }, this.#settings.attributes);
      const place = { kind: 'queue', topic: reply.topic, exchange: '', routingKey: to, lane: 0, delayMs: 0 } as const;
      const [result] = await this.#publisher.send([{ ...letter, ...place, mandatory: false }]);
      return result!;
    } catch (thrown) {
      return failed('refused', asError(thrown));
    }
  }

  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    const link = this.#publishing.link;
    if (!link)
      throw new TidingsError(
        'TIDINGS_RABBITMQ_AWAY',
        `rabbitmq: dead letters cannot be read, ${this.#publishing.detail}`,
      );
    return readDeadLetters(link, this.#names.dead(topic, group), topic, limit);
  }

  /** By its queues: AMQP cannot tell whether they are still bound. */
  async hasGroup(topic: string, group: string): Promise<boolean> {
    const link = this.#publishing.link;
    if (!link)
      throw new TidingsError(
        'TIDINGS_RABBITMQ_AWAY',
        `rabbitmq: groups cannot be asked for, ${this.#publishing.detail}`,
      );
    return hasGroup(link, this.#names, topic, group, this.#settings.orderedQueues);
  }

  /** Of an ordered group, as many queues as `orderedQueues` says here. Queues of the user's own topology stay. */
  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    await this.connect();
    const link = this.#publishing.link;
    if (!link)
      throw new TidingsError(
        'TIDINGS_RABBITMQ_AWAY',
        `rabbitmq: topic ${topic} cannot be removed, ${this.#publishing.detail}`,
      );
    const channel = await link.model.createChannel();
    channel.on('error', () => undefined); // told by the call that it fails
    try {
      await removeTopic(channel, this.#names, topic, groups, this.#settings.orderedQueues);
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  /** Connects first, if nobody has. */
  async takeDeadLetters(topic: string, group: string, bury: Bury): Promise<DeadLetterTaker> {
    await this.connect();
    const place = { queue: this.#names.dead(topic, group), topic, group };
    const taker = new DeadLetterTaker(place, bury, this.#consuming, this.#settings);
    this.#takers.add(taker);
    await taker.start();
    return taker;
  }

  /** Connects first, if nobody has. */
  async pull(subscription: Subscription, receive: Receive, limit: number): Promise<number> {
    const pull = new RabbitMqPull(subscription, receive, this.#consuming, this.#filer, this.#names, this.#settings);
    await this.connect();
    const pulled = pull.take(limit, this.#pulling.signal);
    this.#pulls.add(pulled);
    try {
      return await pulled;
    } finally {
      this.#pulls.delete(pulled);
    }
  }

  health(): TransportHealth {
    const [publishing, consuming] = [this.#publishing, this.#consuming];
    return {
      up: publishing.link !== undefined && consuming.link !== undefined && publishing.link.blocked === undefined,
      detail: `${publishing.detail}; ${consuming.detail}`,
    };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    // In this order: a settlement may still have to publish its copy.
    const { clock, drainMs } = this.#settings;
    this.#pulling.abort();
    await Promise.all([
      ...[...this.#subscriptions].map((active) => active.stop(drainMs)),
      ...[...this.#takers].map((taker) => taker.stop()),
      endedWithin(clock, drainMs, Promise.allSettled(this.#pulls)),
    ]);
    await Promise.all([...this.#replies].map((replies) => replies.close()));
    await this.#publisher.stop();
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
    await this.#connecting?.catch(() => undefined);
  }
}

/**
 * RabbitMQ as a transport.
 *
 * @throws OptionsError that names the bad option, as `rabbitmq.urls`.
 */
export const rabbitmq = (options: RabbitMqOptions): RabbitMqTransport => new RabbitMqTransport(options);
