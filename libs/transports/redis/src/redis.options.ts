import { type Message, parseOptions } from '@tidings/core';
import { z } from 'zod';
import { ms } from './redis-connection.options';
import { consumingShape, type RedisConsumingOptions } from './redis-consuming.options';

/** How the entries of one topic are written. */
export interface RedisTopic {
  /** Streams that a new topic is spread over by lane; one that exists keeps the number it began with. Default `streams`. */
  readonly streams?: number;
  /**
   * XADD's MAXLEN. Redis trims whatever is oldest, also what a group has not handled yet: **messages are lost**, without a sound. For topics that may
   * lose messages only. Default: none, and what every group has handled is trimmed.
   */
  readonly maxLength?: number;
  /** XADD's MINID by age, in milliseconds: older entries are trimmed at each publish, handled or not: **messages are lost**. Default none. */
  readonly maxAgeMs?: number;
  /** `MAXLEN ~` and `MINID ~`: Redis trims whole nodes only, which is much cheaper. Default true. */
  readonly approximate?: boolean;
  /** The id of the entry, for topics that have numbers of their own: `5-1`. They must grow; one that does not is `refused`. Default: Redis's. */
  readonly entryId?: (message: Message) => string;
}

/** How one group reads. */
export interface RedisGroup {
  /** Where a new group begins: an entry's id, as `1795256430456-0`. Default: the end, or the oldest for a subscription `from: 'earliest'`. */
  readonly startAt?: string;
  /** XREADGROUP's NOACK: at most once. Nothing is pending, so that what a dead process had taken is lost. Not for ordered groups. Default false. */
  readonly atMostOnce?: boolean;
}

export interface RedisOptions extends RedisConsumingOptions {
  /** Streams that a new topic is spread over by lane. An ordered group has at most as many consumers that work at once. Default 8. */
  readonly streams?: number;
  /** Topics that are written otherwise, by name. */
  readonly topics?: Readonly<Record<string, RedisTopic>>;
  /** Groups that read otherwise, by name. */
  readonly groups?: Readonly<Record<string, RedisGroup>>;
  /** Entries that were delivered less than this ago are not reclaimed yet. Default `leaseMs`. */
  readonly reclaimIdleMs?: number;
  /** How long entries that every group has handled are kept, for groups that begin at the oldest. Default 0: until the next trimming. */
  readonly keepMs?: number;
  /** A group with work older than this is reported as stale: nothing behind it can be trimmed. Default 86,400,000, a day. */
  readonly staleGroupMs?: number;
}

const streams = z.int().min(1).max(64, 'expected at most 64: there are 64 lanes');
const topic = z
  .strictObject({
    streams: streams.optional(),
    maxLength: z.int().min(1).optional(),
    maxAgeMs: z.int().min(1).optional(),
    approximate: z.boolean().default(true),
    entryId: z.custom<(message: Message) => string>((value) => typeof value === 'function', 'expected a function').optional(), // prettier-ignore
  })
  .refine(({ maxLength, maxAgeMs }) => maxLength === undefined || maxAgeMs === undefined, {
    message: 'expected maxLength or maxAgeMs: Redis trims by one of them',
  });

const group = z.strictObject({
  startAt: z
    .string()
    .regex(/^\d+(-\d+)?$/, "expected an entry's id, as 1795256430456-0")
    .optional(),
  atMostOnce: z.boolean().default(false),
});

const schema = z.strictObject({
  ...consumingShape,
  streams: streams.default(8),
  topics: z.record(z.string(), topic).default({}),
  groups: z.record(z.string(), group).default({}),
  reclaimIdleMs: z.int().min(0).optional(),
  keepMs: z.int().min(0).default(0),
  staleGroupMs: ms(86_400_000),
});

export type RedisSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `redis.urls.0`. */
export const redisSettings = (options: RedisOptions): RedisSettings => parseOptions('redis', schema, options);
