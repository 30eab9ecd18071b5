import { type ActiveSubscription, type Capabilities, CapabilityError, type DeadLetterSource, type GroupDirectory, type NativeDeadLetter, type NativeDeadLetters, type OutgoingMessage, PeriodicTask, type PublishResult, type Receive, type Reclaimer, type Subscription, type TopologyRemoval, type Transport, type TransportHealth } from '@tidings/core'; // prettier-ignore
import { type Bury, DeadLetterTaker } from '../dead-letter-taker';
import { DueMessages } from '../due-messages';
import { publishElements, type ListLetter } from '../lua/publish-elements';
import { releaseDueElements } from '../lua/release-due-elements';
import { removeQueue } from '../lua/remove-queue';
import { readDeadLetters } from '../native-dead-letters';
import { PagedPublisher } from '../paged-publisher';
import { RedisClosedError } from '../redis.errors';
import { away, RedisConnection } from '../redis-connection';
import type { ConsumingSettings } from '../redis-consuming.options';
import { RedisNames } from '../redis-names';
import { toElement } from './list-element';
import { ListReclaimer } from './list-reclaimer';
import { ListSubscription } from './list-subscription';
import { type RedisListOptions, redisListSettings } from './redis-list.options';

/** The documents are Redis's, by title. */
export const REDIS_LIST_CAPABILITIES: Capabilities = Object.freeze({
  /** As far as the server is: see REDIS_CAPABILITIES. */
  durable: true,
  ordered:
    'whoever asks next is given the next element ("LMOVE"): elements of one key go to several consumers at once; use redis()',
  broadcast: 'an element goes to one consumer ("LMOVE"); use redis() or redisPubSub()',
  delay: true,
  /** At publish: a topic without any group. */
  unroutable: true,
  /** Written in the element that replaces the one that failed, or that a dead process held. */
  attempts: true,
  replay:
    'an element that was handled is removed ("LREM"), and a group\'s list begins when the group does; use redis()',
  deadLetters: true,
  largePayload: true,
  processes: true,
});

/** Redis from 7.0 on, by its lists: a queue with acknowledgement for each group. */
export class RedisListTransport
  implements Transport, NativeDeadLetters, DeadLetterSource, GroupDirectory, TopologyRemoval
{
  readonly kind = 'redis-list';
  readonly capabilities = REDIS_LIST_CAPABILITIES;
  /** For a schedule of the application's own, as MessagingModule's `reclaim.reclaimers`. This transport runs it too, every `reclaimEveryMs`. */
  readonly reclaimer: Reclaimer;
  readonly #settings: ConsumingSettings;
  readonly #names: RedisNames;
  readonly #connection: RedisConnection;
  readonly #publisher: PagedPublisher<ListLetter>;
  readonly #due: DueMessages;
  readonly #reclaiming: PeriodicTask;
  readonly #subscriptions = new Set<ListSubscription>();
  readonly #takers = new Set<DeadLetterTaker>();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RedisListOptions) {
    const settings = (this.#settings = redisListSettings(options));
    const { clock, logger, prefix, reclaimEveryMs } = settings;
    const names = (this.#names = new RedisNames(`${prefix}:list`));
    const connection = (this.#connection = new RedisConnection('main', settings));
    const letterOf = (outgoing: OutgoingMessage): ListLetter => {
      const { message, group, delayMs = 0, route = 'required' } = outgoing;
      const element = toElement(outgoing);
      const to = group === undefined ? '' : names.group(group);
      return {
        topic: message.topic,
        bytes: element.length,
        group: to,
        required: route === 'required',
        delayMs,
        element,
      };
    };
    const send = (topic: string, letters: readonly ListLetter[]) => publishElements(connection, names.base(topic), letters); // prettier-ignore
    this.#publisher = new PagedPublisher(
      connection,
      { letterOf, place: (topic: string) => this.#names.base(topic), send },
      settings,
    );
    this.#due = new DueMessages(connection, names, settings, releaseDueElements);
    this.reclaimer = new ListReclaimer(connection, names, settings);
    this.#reclaiming = new PeriodicTask({
      ...{ name: 'redis list reclaim', everyMs: reclaimEveryMs, clock, logger },
      runOnce: async () => {
        if (!connection.up) return;
        logger.info({ report: await this.reclaimer.reclaim() }, 'reclaimed');
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

  /** Connects first, if nobody has. @throws CapabilityError for what a list is not: ordered, broadcast, `from: 'earliest'`. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { topic, ordered, broadcast, from } = subscription;
    if (ordered) throw new CapabilityError(this.kind, 'ordered', 'subscribe with ordered: false, or use redis()');
    if (broadcast) throw new CapabilityError(this.kind, 'broadcast', 'subscribe with broadcast: false, or use redis() or redisPubSub()'); // prettier-ignore
    if (from === 'earliest') throw new CapabilityError(this.kind, 'replay', "subscribe with from: 'now', or use redis()"); // prettier-ignore
    await this.connect();
    const active = new ListSubscription(subscription, receive, this.#connection, this.#names, this.#settings);
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
    return (await this.#connection.call('HEXISTS', [`${base}:groups`, this.#names.group(group)])) === 1;
  }

  /** Connects first, if nobody has. */
  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    await this.connect();
    const base = this.#names.base(topic);
    for (const group of groups) await removeQueue(this.#connection, base, this.#names.group(group));
    if ((await this.#connection.call('EXISTS', [`${base}:groups`])) === 0)
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
 * Redis' lists as a queue for each group: a message moves to its consumer's own list (LMOVE) and leaves it when it is handled. For work in any order that needs
 * no streams; `redis()` does more.
 *
 * @throws OptionsError that names the bad option, as `redisList.urls`.
 */
export const redisList = (options: RedisListOptions): RedisListTransport => new RedisListTransport(options);
