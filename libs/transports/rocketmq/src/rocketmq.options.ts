import { type Clock, parseOptions, silentLogger, systemClock, type TidingsLogger } from '@tidings/core';
import { z } from 'zod';

/** How a group is declared. */
export interface RocketMqGroup {
  /** Only messages with one of these tags, chosen by the broker. A message's tag is its type. Default: all. */
  readonly tags?: readonly string[];
  /** Deliveries of one message after which the broker itself takes it for dead and puts it into `%DLQ%`. Default 1,000. */
  readonly deliveries?: number;
}

export interface RocketMqCredentials {
  readonly accessKey: string;
  readonly accessSecret: string;
  readonly securityToken?: string;
}

export interface RocketMqOptions {
  /** `rocketmq://host:8081` addresses of gRPC proxies of one cluster; `rocketmqs://` by TLS. */
  readonly urls: string | readonly string[];
  /** Begins the name of every topic and group: letters, digits, `-` and `_`. Default `tidings`. */
  readonly prefix?: string;
  /**
   * Creates topics and groups, asks for groups and deletes them, by the brokers' own protocol, which the gRPC proxy does not have. False: they exist already
   * (docs/transports/rocketmq.md has their names and types), a new group begins where the broker lets it, and nothing is unroutable. Default true.
   */
  readonly provision?: boolean;
  /** Where the brokers are asked for, `host:port`. Default: the first address's host, port 9876. */
  readonly nameServer?: string;
  /** Queues of a topic: the most consumers that an ordered group keeps busy, for each queue is with one of them. Counts when the topic is made. Default 8. */
  readonly queues?: number;
  /** How groups are declared, by name. Default: all messages, 1,000 deliveries. */
  readonly groups?: Readonly<Record<string, RocketMqGroup>>;
  /** Subscribes half messages too: one more receive that waits for each subscription. Needed in every consumer of a topic that is published in two phases. Default false. */
  readonly halfMessages?: boolean;
  /** For servers that ask for it; their brokers' administration is not signed, so `provision` must be false with it. Default none. */
  readonly credentials?: RocketMqCredentials;
  /** What a dead process held is delivered again after this time, and 2 to 4 seconds more. Renewed while a handler runs. Servers refuse less than 10,000 unless told otherwise. Default 30,000. */
  readonly invisibleMs?: number;
  /** How long a receive waits at the broker; servers make 5,000 of less. Default 5,000. */
  readonly awaitMs?: number;
  /** How long `close` waits for receives that still wait at the broker, which cannot be called off. What they bring later is handed back as long as the process lives. Default 6,000. */
  readonly handBackMs?: number;
  /** For each address, each client's start, and each administrative call. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A publish that the broker has not answered by then failed as `transient`; at least 1,000. Default 10,000. */
  readonly confirmTimeoutMs?: number;
  /** The longest wait between two attempts after a failure; the first is 100. Default 5,000. */
  readonly reconnectMaxMs?: number;
  /** Larger messages are `too-large`. Keep it at or below the broker's `maxMessageSize`. Default 4 MiB, as RocketMQ has it. */
  readonly maxMessageBytes?: number;
  /** How long `close` lets handlers run on that nobody stopped before. Default 10,000. */
  readonly drainMs?: number;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: TidingsLogger;
}

const isRocketMq = (url: string): boolean => URL.canParse(url) && /^rocketmqs?:$/.test(new URL(url).protocol);
const ms = (fallback: number, least = 1) => z.int().min(least).max(2_147_483_647).default(fallback);
const tag = z
  .string()
  .regex(/^[^|\s\p{Cc}]{1,120}$/u, 'expected up to 120 characters without | and white space, as a message type has');

const schema = z
  .strictObject({
    urls: z
      .union([z.string(), z.array(z.string())], 'expected an address or a list of addresses')
      .transform((urls) => (typeof urls === 'string' ? [urls] : urls))
      .pipe(
        z
          .array(z.string().refine(isRocketMq, 'expected a rocketmq:// or rocketmqs:// address'))
          .min(1, 'expected at least one address'),
      ),
    prefix: z
      .string()
      .regex(/^[\w-]{1,64}$/, 'expected up to 64 letters, digits, - and _')
      .default('tidings'),
    provision: z.boolean().default(true),
    nameServer: z
      .string()
      .regex(/^[^\s:]+:\d+$/, 'expected host:port')
      .optional(),
    queues: z.int().min(1).max(64, 'expected at most 64').default(8),
    groups: z
      .record(
        z.string(),
        z.strictObject({
          tags: z.array(tag).min(1, 'expected at least one tag, or none at all for all').optional(),
          deliveries: z.int().min(1).max(100_000).default(1_000),
        }),
      )
      .default({}),
    halfMessages: z.boolean().default(false),
    credentials: z
      .strictObject({
        accessKey: z.string().min(1),
        accessSecret: z.string().min(1),
        securityToken: z.string().optional(),
      })
      .optional(),
    invisibleMs: ms(30_000, 1_000),
    awaitMs: ms(5_000, 1_000),
    handBackMs: ms(6_000, 0),
    connectTimeoutMs: ms(5_000),
    confirmTimeoutMs: ms(10_000, 1_000),
    reconnectMaxMs: ms(5_000),
    maxMessageBytes: z
      .int()
      .min(1)
      .default(4 * 1024 * 1024),
    drainMs: ms(10_000, 0),
    clock: z
      .custom<Clock>((value) => typeof value === 'object' && value !== null, 'expected a Clock')
      .default(systemClock),
    logger: z
      .custom<TidingsLogger>((value) => typeof value === 'object' && value !== null, 'expected a logger')
      .default(silentLogger),
  })
  .refine(({ credentials, provision }) => !credentials || !provision, {
    path: ['provision'],
    error: 'expected false with credentials: administrative calls are not signed',
  });

export type RocketMqSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `rocketmq.urls.0`. */
export const rocketMqSettings = (options: RocketMqOptions): RocketMqSettings =>
  parseOptions('rocketmq', schema, options);
