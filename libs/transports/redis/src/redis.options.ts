import {
  type Clock,
  type Message,
  parseOptions,
  silentLogger,
  systemClock,
  type TidingsLogger,
  type TlsOptions,
} from '@tidings/core';
import { z } from 'zod';

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

export interface RedisOptions {
  /** `redis://` or `rediss://` addresses, tried in turn: of one server, of the sentinels, or of some of the cluster's nodes. */
  readonly urls: string | readonly string[];
  /** The addresses are sentinels', and this is the name of the primary that they watch. User and password in `urls` are the sentinels'. */
  readonly sentinel?: { readonly name: string; readonly username?: string; readonly password?: string };
  /** The addresses are nodes of a Redis Cluster. All keys of one topic are in one slot, so on one node. Default false. */
  readonly cluster?: boolean;
  /** For `rediss://` addresses, as Node's TLS has them. Default: Node's authorities and the address's name. */
  readonly tls?: TlsOptions;
  /** Begins the name of every key: letters, digits, `-` and `_`. Default `tidings`. */
  readonly prefix?: string;
  /**
   * The name of this process's consumers, the same after each restart and different from every other process's, as a pod's of a StatefulSet: then
   * what it had taken when it died is its own again at once. Default: a new name for each start; reclaim takes back what the one before it held.
   */
  readonly consumer?: string;
  /** Streams that a new topic is spread over by lane. An ordered group has at most as many consumers that work at once. Default 8. */
  readonly streams?: number;
  /** Topics that are written otherwise, by name. */
  readonly topics?: Readonly<Record<string, RedisTopic>>;
  /** Groups that read otherwise, by name. */
  readonly groups?: Readonly<Record<string, RedisGroup>>;
  /** A consumer that was not heard of for so long is dead: its leases are free, what it holds may be reclaimed. Default 15,000. */
  readonly leaseMs?: number;
  /** How often this process reclaims and trims. Default 300,000. */
  readonly reclaimEveryMs?: number;
  /** Entries that were delivered less than this ago are not reclaimed yet. Default `leaseMs`. */
  readonly reclaimIdleMs?: number;
  /** A message in whose handling so many processes died is a dead letter. Default 5. */
  readonly poisonAfter?: number;
  /** How long entries that every group has handled are kept, for groups that begin at the oldest. Default 0: until the next trimming. */
  readonly keepMs?: number;
  /** A group with work older than this is reported as stale: nothing behind it can be trimmed. Default 86,400,000, a day. */
  readonly staleGroupMs?: number;
  /** How often delayed messages are looked at; so late one may be. Default 100. */
  readonly delayPollMs?: number;
  /** Replicas that must have a message before it is confirmed (WAIT). Lowers the risk of asynchronous replication, does not end it. Default 0. */
  readonly replicas?: number;
  /** For each address. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A command that is not answered by then failed, and its connection is made anew. Default 10,000. */
  readonly commandTimeoutMs?: number;
  /** The longest wait between two attempts to connect again; the first is 100. Default 5,000. */
  readonly reconnectMaxMs?: number;
  /** Larger payloads are `too-large`. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** How long `close` lets handlers run on that nobody stopped before. Default 10,000. */
  readonly drainMs?: number;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: TidingsLogger;
}

const isRedis = (url: string): boolean => URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol);
/** The message leaves the address out: it may hold a password. */
const address = z.string().refine(isRedis, 'expected a redis:// or rediss:// address');
const ms = (fallback: number) => z.int().min(1).max(2_147_483_647).default(fallback);
const streams = z.int().min(1).max(64, 'expected at most 64: there are 64 lanes');
const pem = z.union([z.string(), z.instanceof(Buffer)], 'expected PEM as text or a Buffer').optional();

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
  urls: z
    .union([z.string(), z.array(z.string())], 'expected an address or a list of addresses')
    .transform((urls) => (typeof urls === 'string' ? [urls] : urls))
    .pipe(z.array(address).min(1, 'expected at least one address')),
  sentinel: z
    .strictObject({ name: z.string().min(1), username: z.string().optional(), password: z.string().optional() })
    .optional(),
  cluster: z.boolean().default(false),
  tls: z
    .strictObject({
      ca: pem,
      cert: pem,
      key: pem,
      passphrase: z.string().optional(),
      servername: z.string().min(1).optional(),
      rejectUnauthorized: z.boolean().optional(),
    })
    .optional(),
  prefix: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'expected up to 64 letters, digits, - and _')
    .default('tidings'),
  consumer: z
    .string()
    .regex(/^[\w.:-]{1,128}$/, 'expected up to 128 letters, digits, . : - and _')
    .optional(),
  streams: streams.default(8),
  topics: z.record(z.string(), topic).default({}),
  groups: z.record(z.string(), group).default({}),
  leaseMs: z.int().min(500).max(600_000).default(15_000),
  reclaimEveryMs: ms(300_000),
  reclaimIdleMs: z.int().min(0).optional(),
  poisonAfter: z.int().min(1).default(5),
  keepMs: z.int().min(0).default(0),
  staleGroupMs: ms(86_400_000),
  delayPollMs: z.int().min(1).max(60_000).default(100),
  replicas: z.int().min(0).default(0),
  connectTimeoutMs: ms(5_000),
  commandTimeoutMs: z.int().min(2_000, 'expected at least 2,000: reads wait for a second').default(10_000),
  reconnectMaxMs: ms(5_000),
  maxMessageBytes: z
    .int()
    .min(1)
    .default(16 * 1024 * 1024),
  drainMs: z.int().min(0).max(2_147_483_647).default(10_000),
  clock: z
    .custom<Clock>((value) => typeof value === 'object' && value !== null, 'expected a Clock')
    .default(systemClock),
  logger: z
    .custom<TidingsLogger>((value) => typeof value === 'object' && value !== null, 'expected a logger')
    .default(silentLogger),
});

export type RedisSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `redis.urls.0`. */
export const redisSettings = (options: RedisOptions): RedisSettings => parseOptions('redis', schema, options);
