import type { Reclaimer, ReclaimReport } from '@tidings/core';
import { forgetConsumer } from '../lua/forget-consumer';
import type { RedisConnection } from '../redis-connection';
import type { ConsumingSettings } from '../redis-consuming.options';
import type { RedisNames } from '../redis-names';
import { serverTime } from '../server-time';
import { reclaimElements } from './reclaim-elements';

/** A process that slept so long may wake up and move one element more before it knows; only then its name is no longer looked for. */
const FORGET_AFTER_MS = 3_600_000;

/**
 * Takes back what dead consumers hold in lists of their own. Dead is whose place in the group is over by Redis's clock: a handler that runs for an hour in a
 * living process loses nothing. Any process may run it at any time, several at once.
 */
export class ListReclaimer implements Reclaimer {
  readonly name = 'redis lists';

  constructor(
    private readonly connection: RedisConnection,
    private readonly names: RedisNames,
    private readonly settings: ConsumingSettings,
  ) {}

  async reclaim(): Promise<ReclaimReport> {
    const counts = { reclaimed: 0, buried: 0, consumers: 0 };
    const topics = (await this.connection.call('SMEMBERS', [this.names.topics])) as Buffer[];
    for (const topic of topics.map(String)) {
      const base = this.names.base(topic);
      const groups = (await this.connection.call('HKEYS', [`${base}:groups`])) as Buffer[];
      for (const group of groups.map(String)) await this.#group({ topic, base, group }, counts);
    }
    const { reclaimed, ...detail } = counts;
    return { name: this.name, reclaimed, detail };
  }

  async #group(
    place: { readonly topic: string; readonly base: string; readonly group: string },
    counts: { reclaimed: number; buried: number; consumers: number },
  ): Promise<void> {
    const { base, group } = place;
    const now = await serverTime(this.connection, base);
    const dead = (await this.connection.call('ZRANGEBYSCORE', [`${base}:g:${group}:members`, '-inf', now])) as Buffer[];
    for (const consumer of dead.map(String)) {
      const { reclaimed, buried } = await reclaimElements(this.connection, { ...place, consumer, dead: true }, this.settings); // prettier-ignore
      counts.reclaimed += reclaimed;
      counts.buried += buried;
      if (buried > 0) this.settings.logger.error({ group, consumer, buried }, 'messages that processes died with are dead letters now'); // prettier-ignore
      if (await forgetConsumer(this.connection, base, group, consumer, FORGET_AFTER_MS)) counts.consumers += 1;
    }
  }
}
