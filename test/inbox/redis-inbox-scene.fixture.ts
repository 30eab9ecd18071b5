import { dateOf } from '@tidings/core';
import type { Cluster, Redis } from 'ioredis';
import type { InboxHarness } from '../../libs/inbox/src/inbox-store.conformance';
import { RedisInbox } from '../../libs/redis-inbox/src/redis-inbox';
import type { RedisInboxOptions } from '../../libs/redis-inbox/src/redis-inbox.options';

const DAY_MS = 86_400_000;
export const RETENTION_DAYS = 5;

/** What the inbox's conformance suite is played on: effects that are counted, and a clock of Redis's that may be days ahead. */
export class RedisInboxScene {
  readonly inbox: RedisInbox;
  #effects = 0;
  #daysAhead = 0;

  constructor(
    private readonly client: Redis | Cluster,
    private readonly prefix: string,
  ) {
    this.inbox = this.made();
  }

  made(options: Partial<RedisInboxOptions> = {}): RedisInbox {
    const { client, prefix } = this;
    return new RedisInbox({ client, prefix, retentionDays: RETENTION_DAYS, waitMs: 300, ...options }, () => this.#daysAhead * DAY_MS); // prettier-ignore
  }

  async day(daysAgo = 0): Promise<string> {
    const [seconds] = await this.client.time();
    return dateOf(Number(seconds) * 1_000 + (this.#daysAhead - daysAgo) * DAY_MS);
  }

  get harness(): InboxHarness {
    return {
      inbox: this.inbox,
      effect: () => Promise.resolve(void (this.#effects += 1)),
      effects: () => Promise.resolve(this.#effects),
      setDaysAhead: (days) => Promise.resolve(void (this.#daysAhead = days)),
      day: (daysAgo) => this.day(daysAgo),
      retentionDays: RETENTION_DAYS,
      dropExpired: () => Promise.resolve(), // by themselves: each has an end
      withoutTransactions: true,
    };
  }
}
