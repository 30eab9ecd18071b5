import { type ActiveSubscription, type Capabilities, type DeadLetterSource, type GroupDirectory, type NativeDeadLetter, type NativeDeadLetters, OptionsError, type OutgoingMessage, PeriodicTask, type PublishResult, type Receive, type Reclaimer, type Subscription, type TopologyRemoval, type Transport, type TransportHealth } from '@tidings/core'; // prettier-ignore
import { type Bury, DeadLetterTaker } from './dead-letter-taker';
import { DueMessages } from './due-messages';
import { releaseDue } from './lua/release-due';
import { removeGroup } from './lua/remove-group';
import { removeTopicKeys } from './lua/remove-topic';
import { readDeadLetters } from './native-dead-letters';
import { RedisClosedError } from './redis.errors';
import { isGroupGone } from './server-answers';
import { type RedisOptions, redisSettings, type RedisSettings } from './redis.options';
import { away, RedisConnection } from './redis-connection';
import { RedisNames } from './redis-names';
import { redisPublisher } from './redis-publisher';
import { RedisReclaimer } from './redis-reclaimer';
import { RedisSubscription } from './redis-subscription';

/** The documents are Redis's, by title. */
export const REDIS_CAPABILITIES: Capabilities = Object.freeze({
  /**
   * As far as the server is: with `appendfsync everysec`, its default for append-only files, a crash loses up to a second of confirmed messages, without
   * persistence all of them ("Redis persistence"); a failover loses what was not replicated yet ("Redis replication": asynchronous). Set
   * `appendfsync always`, and `replicas` here, where that matters.
   */
  durable: true,
  ordered: true,
  broadcast: true,
  delay: true,
  /** At publish: a topic without any group. */
  unroutable: true,
  /** Redis counts deliveries in its list of pending entries ("XPENDING"), and what is moved takes its count along. */
  attempts: true,
  /** From the oldest entry that is not trimmed yet: `keepMs`. */
  replay: true,
  deadLetters: true,
  largePayload: true,
  processes: true,
});

/** Redis from 7.0 on, by its streams. */
export class RedisTransport implements Transport, NativeDeadLetters, DeadLetterSource, GroupDirectory, TopologyRemoval {
  readonly kind = 'redis';
  readonly capabilities = REDIS_CAPABILITIES;
  /** For a schedule of the application's own, as MessagingModule's `reclaim.reclaimers`. This transport runs it too, every `reclaimEveryMs`. */
  readonly reclaimer: Reclaimer;
  readonly #settings: RedisSettings;
  readonly #names: RedisNames;
  readonly #connection: RedisConnection;
  readonly #publisher: ReturnType<typeof redisPublisher>;
  readonly #due: DueMessages;
  readonly #reclaiming: PeriodicTask;
  readonly #subscriptions = new Set<RedisSubscription>();
  readonly #takers = new Set<DeadLetterTaker>();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RedisOptions) {
    this.#settings = redisSettings(options);
    const { clock, logger, prefix, reclaimEveryMs } = this.#settings;
    this.#names = new RedisNames(prefix);
    this.#connection = new RedisConnection('main', this.#settings);
    this.#publisher = redisPublisher(this.#connection, this.#names, this.#settings);
    this.#due = new DueMessages(this.#connection, this.#names, this.#settings, releaseDue);
    this.reclaimer = new RedisReclaimer(this.#connection, this.#names, this.#settings);
    this.#reclaiming = new PeriodicTask({
      ...{ name: 'redis reclaim', everyMs: reclaimEveryMs, clock, logger },
      runOnce: async () => {
        if (!this.#connection.up) return;
        const report = await this.reclaimer.reclaim();
        logger.info({ report }, 'reclaimed');
      },
    });
  }

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new RedisClosedError('connect'));
    this.#connecting ??= this.#connection.open().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#publisher.publish(messages);
  }

  /** Connects first, if nobody has. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { topic, group, ordered } = subscription;
    if (ordered && this.#settings.groups[group]?.atMostOnce)
      throw new OptionsError(`redis.groups.${group}.atMostOnce`, `must not be given: group ${group} on ${topic} is ordered, and what is not pending cannot keep its place`); // prettier-ignore
    await this.connect();
    const active = new RedisSubscription(subscription, receive, this.#connection, this.#names, this.#settings);
    this.#subscriptions.add(active);
    try {
      await active.start();
    } catch (error) {
      this.#subscriptions.delete(active);
      throw error;
    }
    this.#due.watch(topic);
    this.#reclaiming.start();
    return active;
  }

  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    if (!this.#connection.up) throw away(this.#connection);
    const found = await readDeadLetters(this.#connection, this.#names.dead(topic, group), topic, limit);
    return found.map(({ letter }) => letter);
  }

  /** Connects first, if nobody has. */
  async takeDeadLetters(topic: string, group: string, bury: Bury): Promise<DeadLetterTaker> {
    await this.connect();
    const place = { stream: this.#names.dead(topic, group), topic };
    const taker = new DeadLetterTaker(place, bury, this.#connection, this.#settings);
    this.#takers.add(taker);
    taker.start();
    return taker;
  }

  async hasGroup(topic: string, group: string): Promise<boolean> {
    if (!this.#connection.up) throw away(this.#connection);
    const base = this.#names.base(topic);
    const name = this.#names.group(group);
    const shape = await this.#connection.call('HGET', [`${base}:groups`, name]);
    if (shape === null) return false;
    const streams = Number((await this.#connection.call('GET', [`${base}:streams`])) ?? 0);
    for (let number = 0; number < streams; number++) {
      try {
        const groups = (await this.#connection.call('XINFO', ['GROUPS', `${base}:${number}`])) as Buffer[][];
        if (!groups.some((words) => String(words[1]) === name)) return false;
      } catch (error) {
        if (isGroupGone(error)) return false;
        throw error;
      }
    }
    return true;
  }

  /** Connects first, if nobody has. */
  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    await this.connect();
    const base = this.#names.base(topic);
    for (const group of groups) await removeGroup(this.#connection, base, this.#names.group(group));
    const others = ((await this.#connection.call('HKEYS', [`${base}:groups`])) as Buffer[]).map(String);
    for (const instance of others.filter((name) =>
      groups.some((group) => name.startsWith(`${this.#names.group(group)}/`)),
    ))
      // prettier-ignore
      await removeGroup(this.#connection, base, instance);
    await removeTopicKeys(this.#connection, base);
    await this.#connection.call('SREM', [this.#names.topics, topic]);
  }

  health(): TransportHealth {
    return { up: this.#connection.up, detail: this.#connection.detail };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { drainMs } = this.#settings;
    await Promise.all([
      ...[...this.#subscriptions].map((active) => active.stop(drainMs)),
      ...[...this.#takers].map((taker) => taker.stop()),
    ]);
    await Promise.all([this.#due.stop(), this.#reclaiming.stop(), this.#publisher.stop()]);
    this.#connection.close();
    await this.#connecting?.catch(() => undefined);
  }
}

/**
 * Redis as a transport, by its streams.
 *
 * @throws OptionsError that names the bad option, as `redis.urls`.
 */
export const redis = (options: RedisOptions): RedisTransport => new RedisTransport(options);
