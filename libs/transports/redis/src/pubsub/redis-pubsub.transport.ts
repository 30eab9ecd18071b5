import { type ActiveSubscription, type Capabilities, CapabilityError, confirmed, failed, type OutgoingMessage, type PublishResult, type Receive, type Subscription, toStructuredEvent, type Transport, type TransportHealth } from '@tidings/core'; // prettier-ignore
import { type Letter, PagedPublisher } from '../paged-publisher';
import { RedisClosedError, RedisUnroutableError } from '../redis.errors';
import { RedisConnection } from '../redis-connection';
import { RedisNames } from '../redis-names';
import { type RedisPubSubOptions, redisPubSubSettings, type PubSubSettings } from './redis-pubsub.options';
import { PubSubSubscription } from './pubsub-subscription';

const KEEPS_NOTHING =
  'who is not connected when a message is published misses it, for at-most-once is all that Redis does here ("Redis Pub/Sub")';
const NO_GROUPS =
  'every client that subscribed to a channel gets every message ("Redis Pub/Sub"); use redis() or redisList()';

/** The documents are Redis's, by title. */
export const REDIS_PUBSUB_CAPABILITIES: Capabilities = Object.freeze({
  durable: KEEPS_NOTHING,
  /** Each process has the order of a key for itself. */
  ordered: NO_GROUPS,
  broadcast: true,
  delay: 'PUBLISH has no delay ("PUBLISH"); a retry waits in its process',
  /** At publish: nobody is connected to hear it. */
  unroutable: true,
  attempts: KEEPS_NOTHING,
  replay: KEEPS_NOTHING,
  deadLetters: KEEPS_NOTHING,
  largePayload: true,
  processes: NO_GROUPS,
});

/** In a cluster PUBLISH answers how many hear it at one node. */
export const REDIS_PUBSUB_IN_A_CLUSTER: Capabilities = Object.freeze({
  ...REDIS_PUBSUB_CAPABILITIES,
  unroutable: 'in a cluster only clients of the same node are counted ("PUBLISH")',
});

interface ChannelLetter extends Letter {
  readonly channel: string;
  readonly group: string | undefined;
  readonly required: boolean;
  readonly content: string;
}

/** Redis' Pub/Sub: broadcast, at most once. */
export class RedisPubSubTransport implements Transport {
  readonly kind = 'redis-pubsub';
  readonly capabilities: Capabilities;
  readonly #settings: PubSubSettings;
  readonly #names: RedisNames;
  readonly #connection: RedisConnection;
  readonly #publisher: PagedPublisher<ChannelLetter>;
  readonly #subscriptions = new Set<PubSubSubscription>();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RedisPubSubOptions) {
    const settings = (this.#settings = redisPubSubSettings(options));
    this.capabilities = settings.cluster ? REDIS_PUBSUB_IN_A_CLUSTER : REDIS_PUBSUB_CAPABILITIES;
    this.#names = new RedisNames(`${settings.prefix}:pubsub`);
    this.#connection = new RedisConnection('main', settings);
    const plan = {
      letterOf: (outgoing: OutgoingMessage) => this.#letterOf(outgoing),
      place: (topic: string) => this.#channel(topic),
      send: (topic: string, letters: readonly ChannelLetter[]) => this.#send(topic, letters),
    };
    this.#publisher = new PagedPublisher(this.#connection, plan, { ...settings, replicas: 0 });
  }

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new RedisClosedError('connect'));
    this.#connecting ??= this.#connection.open().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  /**
   * `confirmed`: Redis passed it on to at least one client that subscribed, which promises no more. In a cluster not even that.
   *
   * @throws CapabilityError for a delay.
   */
  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (messages.some(({ delayMs = 0 }) => delayMs > 0)) throw new CapabilityError(this.kind, 'delay', 'publish without delayMs, or use redis()'); // prettier-ignore
    return this.#publisher.publish(messages);
  }

  /** Connects first, if nobody has. @throws CapabilityError for anything but `broadcast: true`, from now on. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { topic, group, broadcast, from } = subscription;
    if (!broadcast) throw new CapabilityError(this.kind, 'groups', 'subscribe with broadcast: true, or use redis() or redisList()'); // prettier-ignore
    if (from === 'earliest') throw new CapabilityError(this.kind, 'replay', "subscribe with from: 'now', or use redis()"); // prettier-ignore
    await this.connect();
    const active = new PubSubSubscription(subscription, [this.#channel(topic), this.#channel(topic, group)], receive, this.#settings); // prettier-ignore
    this.#subscriptions.add(active);
    try {
      await active.start();
    } catch (error) {
      this.#subscriptions.delete(active);
      throw error;
    }
    return active;
  }

  health(): TransportHealth {
    return { up: this.#connection.up, detail: this.#connection.detail };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((active) => active.stop(this.#settings.drainMs)));
    await this.#publisher.stop();
    this.#connection.close();
    await this.#connecting?.catch(() => undefined);
  }

  #channel(topic: string, group?: string): string {
    const base = this.#names.base(topic);
    return group === undefined ? base : `${base}:g:${this.#names.group(group)}`;
  }

  #letterOf(outgoing: OutgoingMessage): ChannelLetter {
    const { message, group, route = 'required' } = outgoing;
    const content = toStructuredEvent(outgoing);
    const channel = this.#channel(message.topic, group);
    return { topic: message.topic, bytes: content.length, channel, group, required: route === 'required', content };
  }

  async #send(topic: string, letters: readonly ChannelLetter[]): Promise<PublishResult[]> {
    const commands = letters.map(({ channel, content }) => ['PUBLISH', channel, content] as const);
    const heard = await this.#connection.callNear(this.#channel(topic), commands);
    return letters.map(({ group, required }, at) =>
      Number(heard[at]) > 0 || !required || this.#settings.cluster ? confirmed : failed('unroutable', new RedisUnroutableError(topic, group))); // prettier-ignore
  }
}

/**
 * Redis' Pub/Sub as a broadcast, at most once: for what is worth nothing a moment later, as what is shown in a live room. Who is away, reconnects or is too
 * slow misses messages.
 *
 * @throws OptionsError that names the bad option, as `redisPubSub.urls`.
 */
export const redisPubSub = (options: RedisPubSubOptions): RedisPubSubTransport => new RedisPubSubTransport(options);
