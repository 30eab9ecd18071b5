import { type Clock, parseOptions, silentLogger, systemClock, type TidingsLogger } from '@tidings/core';
import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';

interface Shared {
  /** A client of ioredis, which stays the caller's: connected and closed by whoever made it, as a pool is. */
  readonly client: Redis | Cluster;
  /** Begins the name of every key: letters, digits, `-` and `_`. Default `tidings`. */
  readonly prefix?: string;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: TidingsLogger;
}

export interface RedisInboxOptions extends Shared {
  /** Days for which a message is remembered, counted from its bucket. Older ones are dead-lettered, never handled blindly. Default 30. */
  readonly retentionDays?: number;
  /** Buckets further ahead are refused: a sender's clock may be wrong by years. Default 400. */
  readonly aheadDays?: number;
  /** A claim that its process did not renew for so long is free: it has died. Renewed three times in it. Default 30,000. */
  readonly claimMs?: number;
  /** How long a message waits for a copy that is being handled. Default 1,000. */
  readonly waitMs?: number;
  /** How long Redis may take to answer before it counts as away. Default 2,000. */
  readonly answerMs?: number;
}

export interface RedisInboxFilterOptions extends Shared {
  /** For how long a message is known here; afterwards the inbox behind is asked. Default 86,400,000, a day. */
  readonly keepMs?: number;
  /** How often what was handled is written to Redis, all of it at once. Default 100. */
  readonly writeEveryMs?: number;
  /** What waits to be written, at most; what comes beyond is not known here, only behind. Default 10,000. */
  readonly maxUnwritten?: number;
  /** Redis is not waited for longer than this: then the inbox behind is asked, and for a second only that one. Default 50. */
  readonly answerMs?: number;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const ms = (fallback: number) => z.int().min(1).max(2_147_483_647).default(fallback);

const shared = {
  client: z.custom<Redis | Cluster>(
    (value) => isObject(value) && 'callBuffer' in (value as object),
    'expected a client of ioredis, as new Redis(url)',
  ),
  prefix: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'expected up to 64 letters, digits, - and _')
    .default('tidings'),
  clock: z.custom<Clock>(isObject, 'expected a Clock').default(systemClock),
  logger: z.custom<TidingsLogger>(isObject, 'expected a logger').default(silentLogger),
};

const inbox = z.strictObject({
  ...shared,
  retentionDays: z.int().min(1).max(36_500).default(30),
  aheadDays: z.int().min(1).max(36_500).default(400),
  claimMs: z.int().min(100).max(3_600_000).default(30_000),
  waitMs: ms(1_000),
  answerMs: ms(2_000),
});

const filter = z.strictObject({
  ...shared,
  keepMs: ms(86_400_000),
  writeEveryMs: ms(100),
  maxUnwritten: z.int().min(1).default(10_000),
  answerMs: ms(50),
});

export type RedisInboxSettings = z.output<typeof inbox>;
export type RedisInboxFilterSettings = z.output<typeof filter>;

/** @throws OptionsError that names the first bad option, as `redisInbox.client`. */
export const redisInboxSettings = (options: RedisInboxOptions): RedisInboxSettings =>
  parseOptions('redisInbox', inbox, options);

/** @throws OptionsError that names the first bad option, as `redisInboxFilter.client`. */
export const redisInboxFilterSettings = (options: RedisInboxFilterOptions): RedisInboxFilterSettings =>
  parseOptions('redisInboxFilter', filter, options);
