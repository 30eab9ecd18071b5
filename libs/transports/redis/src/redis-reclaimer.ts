import type { Reclaimer, ReclaimReport } from '@tidings/core';
import { reclaimEntries } from './lua/reclaim-entries';
import { removeConsumer } from './lua/remove-consumer';
import { removeGroup } from './lua/remove-group';
import { trimStream } from './lua/trim-stream';
import { isGroupGone } from './server-answers';
import { serverTime } from './server-time';
import type { RedisSettings } from './redis.options';
import type { RedisConnection } from './redis-connection';
import type { RedisNames } from './redis-names';

interface Counts {
  reclaimed: number;
  buried: number;
  gone: number;
  consumers: number;
  groups: number;
  trimmed: number;
  stale: number;
}

/**
 * Takes back what dead consumers hold, removes them and the groups of dead broadcast instances, and trims what every group has settled. A consumer is dead
 * when its place in the group is over by Redis's clock: a handler that runs for an hour in a living process loses nothing.
 *
 * Any process may run it at any time, several at once: each step is one script.
 */
export class RedisReclaimer implements Reclaimer {
  readonly name = 'redis streams';

  constructor(
    private readonly connection: RedisConnection,
    private readonly names: RedisNames,
    private readonly settings: RedisSettings,
  ) {}

  async reclaim(): Promise<ReclaimReport> {
    const counts: Counts = { reclaimed: 0, buried: 0, gone: 0, consumers: 0, groups: 0, trimmed: 0, stale: 0 };
    const topics = (await this.connection.call('SMEMBERS', [this.names.topics])) as Buffer[];
    for (const topic of topics) await this.#topic(topic.toString(), counts);
    const { reclaimed, ...detail } = counts;
    return { name: this.name, reclaimed, detail };
  }

  async #topic(topic: string, counts: Counts): Promise<void> {
    const base = this.names.base(topic);
    const streams = Number((await this.connection.call('GET', [`${base}:streams`])) ?? 0);
    const listed = ((await this.connection.call('HGETALL', [`${base}:groups`])) as Buffer[]).map(String);
    const groups = new Map<string, string>();
    for (let at = 0; at + 1 < listed.length; at += 2) groups.set(listed[at]!, listed[at + 1]!);
    const main = Array.from({ length: streams }, (_, number) => String(number));
    for (const [group, shape] of groups) {
      const own = shape === 'broadcast' ? [] : main.slice(0, shape === 'ordered' ? streams : 1).map((number) => `g:${group}:${number}`); // prettier-ignore
      if (shape === 'broadcast' && !(await this.#anyAlive(base, group))) {
        if (await removeGroup(this.connection, base, group)) counts.groups += 1;
        groups.delete(group);
        continue;
      }
      for (const suffix of [...main, ...own]) await this.#stream(base, group, shape, suffix, counts);
      for (const suffix of own) await this.#trim(topic, suffix, [group], counts);
    }
    const durable = [...groups].filter(([, shape]) => shape !== 'broadcast').map(([group]) => group);
    for (const suffix of main) await this.#trim(topic, suffix, durable, counts);
  }

  async #anyAlive(base: string, group: string): Promise<boolean> {
    const now = await serverTime(this.connection, base);
    return Number(await this.connection.call('ZCOUNT', [`${base}:g:${group}:members`, now, '+inf'])) > 0;
  }

  /** An ordered group's entries stay where they are, for whoever takes the lease: moved, they would lose their place. */
  async #stream(base: string, group: string, shape: string, suffix: string, counts: Counts): Promise<void> {
    for (const consumer of await this.#consumers(`${base}:${suffix}`, group)) {
      if (shape === 'shared') await this.#reclaim(base, group, consumer, suffix, counts);
      if (await removeConsumer(this.connection, base, group, consumer, suffix)) counts.consumers += 1;
    }
  }

  async #reclaim(base: string, group: string, consumer: string, suffix: string, counts: Counts): Promise<void> {
    const { reclaimIdleMs, leaseMs, poisonAfter } = this.settings;
    const limits = { idleMs: reclaimIdleMs ?? leaseMs, poisonAfter };
    for (;;) {
      const from = { group, consumer, suffix, mine: false };
      const { reclaimed, buried, gone, page } = await reclaimEntries(this.connection, base, from, limits);
      counts.reclaimed += reclaimed;
      counts.buried += buried;
      counts.gone += gone;
      if (buried > 0) this.settings.logger.error({ group, consumer, buried }, 'messages that processes died with are dead letters now'); // prettier-ignore
      if (page < 100) return;
    }
  }

  async #consumers(stream: string, group: string): Promise<string[]> {
    try {
      const listed = (await this.connection.call('XINFO', ['CONSUMERS', stream, group])) as Buffer[][];
      return listed.map((consumer) => String(consumer[consumer.findIndex((word) => String(word) === 'name') + 1]));
    } catch (error) {
      if (isGroupGone(error)) return []; // deleted from outside: its consumers declare it again
      throw error;
    }
  }

  async #trim(topic: string, suffix: string, durable: readonly string[], counts: Counts): Promise<void> {
    const { keepMs, staleGroupMs, logger } = this.settings;
    const limits = { keepMs, staleMs: staleGroupMs };
    const { trimmed, stale } = await trimStream(this.connection, this.names.base(topic), suffix, limits, durable);
    counts.trimmed += trimmed;
    counts.stale += stale.length;
    for (const group of stale) logger.warn({ topic, stream: suffix, group }, `a group is stale: it has not settled what is older than ${staleGroupMs} ms, and nothing behind that can be trimmed; start its consumers, or remove it`); // prettier-ignore
  }
}
