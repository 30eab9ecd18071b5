import { type ActiveSubscription, type Capabilities, OptionsError, type Receive, type Subscription } from '@tidings/core'; // prettier-ignore
import { releaseDue } from './lua/release-due';
import { removeGroup } from './lua/remove-group';
import { removeTopicKeys } from './lua/remove-topic';
import { isGroupGone } from './server-answers';
import { type RedisOptions, redisSettings, type RedisSettings } from './redis.options';
import { away, RedisConnection } from './redis-connection';
import { RedisGroupTransport } from './redis-group-transport';
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
export class RedisTransport extends RedisGroupTransport<RedisSettings> {
  readonly kind = 'redis';
  readonly capabilities = REDIS_CAPABILITIES;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: RedisOptions) {
    const settings = redisSettings(options);
    const names = new RedisNames(settings.prefix);
    const connection = new RedisConnection('main', settings);
    const publisher = redisPublisher(connection, names, settings);
    const reclaimer = new RedisReclaimer(connection, names, settings);
    super({ settings, names, connection, publisher, reclaimer, releaseDue });
  }

  /** Connects first, if nobody has. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { topic, group, ordered } = subscription;
    const { connection, names, settings } = this.parts;
    if (ordered && settings.groups[group]?.atMostOnce)
      throw new OptionsError(`redis.groups.${group}.atMostOnce`, `must not be given: group ${group} on ${topic} is ordered, and what is not pending cannot keep its place`); // prettier-ignore
    return this.started(new RedisSubscription(subscription, receive, connection, names, settings));
  }

  async hasGroup(topic: string, group: string): Promise<boolean> {
    const { connection, names } = this.parts;
    if (!connection.up) throw away(connection);
    const base = names.base(topic);
    const name = names.group(group);
    const shape = await connection.call('HGET', [`${base}:groups`, name]);
    if (shape === null) return false;
    const streams = Number((await connection.call('GET', [`${base}:streams`])) ?? 0);
    for (let number = 0; number < streams; number++) {
      try {
        const groups = (await connection.call('XINFO', ['GROUPS', `${base}:${number}`])) as Buffer[][];
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
    const { connection, names } = this.parts;
    const base = names.base(topic);
    for (const group of groups) await removeGroup(connection, base, names.group(group));
    const others = ((await connection.call('HKEYS', [`${base}:groups`])) as Buffer[]).map(String);
    for (const instance of others.filter((name) => groups.some((group) => name.startsWith(`${names.group(group)}/`))))
      // prettier-ignore
      await removeGroup(connection, base, instance);
    await removeTopicKeys(connection, base);
    await connection.call('SREM', [names.topics, topic]);
  }
}

/**
 * Redis as a transport, by its streams.
 *
 * @throws OptionsError that names the bad option, as `redis.urls`.
 */
export const redis = (options: RedisOptions): RedisTransport => new RedisTransport(options);
