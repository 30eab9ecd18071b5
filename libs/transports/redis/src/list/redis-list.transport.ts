import { type ActiveSubscription, type Capabilities, CapabilityError, type OutgoingMessage, type Receive, type Subscription } from '@tidings/core'; // prettier-ignore
import { type ListLetter, publishElements } from '../lua/publish-elements';
import { releaseDueElements } from '../lua/release-due-elements';
import { removeQueue } from '../lua/remove-queue';
import { PagedPublisher } from '../paged-publisher';
import { away, RedisConnection } from '../redis-connection';
import type { ConsumingSettings } from '../redis-consuming.options';
import { RedisGroupTransport } from '../redis-group-transport';
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
export class RedisListTransport extends RedisGroupTransport<ConsumingSettings> {
  readonly kind = 'redis-list';
  readonly capabilities = REDIS_LIST_CAPABILITIES;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RedisListOptions) {
    const settings = redisListSettings(options);
    const names = new RedisNames(`${settings.prefix}:list`);
    const connection = new RedisConnection('main', settings);
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
    const place = (topic: string): string => names.base(topic);
    const send = (topic: string, letters: readonly ListLetter[]) => publishElements(connection, place(topic), letters);
    const publisher = new PagedPublisher(connection, { letterOf, place, send }, settings);
    const reclaimer = new ListReclaimer(connection, names, settings);
    super({ settings, names, connection, publisher, reclaimer, releaseDue: releaseDueElements });
  }

  /** Connects first, if nobody has. @throws CapabilityError for what a list is not: ordered, broadcast, `from: 'earliest'`. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { ordered, broadcast, from } = subscription;
    if (ordered) throw new CapabilityError(this.kind, 'ordered', 'subscribe with ordered: false, or use redis()');
    if (broadcast) throw new CapabilityError(this.kind, 'broadcast', 'subscribe with broadcast: false, or use redis() or redisPubSub()'); // prettier-ignore
    if (from === 'earliest') throw new CapabilityError(this.kind, 'replay', "subscribe with from: 'now', or use redis()"); // prettier-ignore
    const { connection, names, settings } = this.parts;
    return this.started(new ListSubscription(subscription, receive, connection, names, settings));
  }

  async hasGroup(topic: string, group: string): Promise<boolean> {
    const { connection, names } = this.parts;
    if (!connection.up) throw away(connection);
    const base = names.base(topic);
    return (await connection.call('HEXISTS', [`${base}:groups`, names.group(group)])) === 1;
  }

  /** Connects first, if nobody has. */
  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    await this.connect();
    const { connection, names } = this.parts;
    const base = names.base(topic);
    for (const group of groups) await removeQueue(connection, base, names.group(group));
    if ((await connection.call('EXISTS', [`${base}:groups`])) === 0)
      await connection.call('SREM', [names.topics, topic]);
  }
}

/**
 * Redis' lists as a queue for each group: a message moves to its consumer's own list (LMOVE) and leaves it when it is handled. For work in any order that needs
 * no streams; `redis()` does more.
 *
 * @throws OptionsError that names the bad option, as `redisList.urls`.
 */
export const redisList = (options: RedisListOptions): RedisListTransport => new RedisListTransport(options);
