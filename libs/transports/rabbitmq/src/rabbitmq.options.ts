import {
  type Clock,
  parseOptions,
  silentLogger,
  systemClock,
  type TidingsLogger,
  type TlsOptions,
} from '@tidings/core';
import { z } from 'zod';
import type { AttributeForm } from './rabbitmq-mapping';
import { type RabbitMqGroup, type RabbitMqTopic, type RabbitMqTopology, topologyOptions } from './topology.options';

export interface RabbitMqOptions {
  /** `amqp://` or `amqps://` addresses of one cluster, tried in turn. */
  readonly urls: string | readonly string[];
  /** For `amqps://` addresses, as Node's TLS has them. Default: Node's authorities and the address's name. */
  readonly tls?: TlsOptions;
  /** The virtual host. Default: the address's, or `/`. */
  readonly vhost?: string;
  /** Begins the name of every exchange and queue: letters, digits, `-` and `_`. Default `tidings`. */
  readonly prefix?: string;
  /**
   * Unsettled deliveries that the broker hands to one queue's consumer. Default twice the concurrency; for an ordered or a broadcast
   * subscription, and one with a `keyConcurrency`, at least 64, for there a failing message holds its place, and its followers theirs, until it settles.
   */
  readonly prefetch?: number;
  /**
   * Queues over which an ordered group is spread. The same in every process of a group, for ever: a key must not change its queue while
   * messages wait (GroupShapeError). Default 8.
   */
  readonly orderedQueues?: number;
  /** How topics are declared, by name. Default: a durable exchange of type `topic`, routed by lane. */
  readonly topics?: Readonly<Record<string, RabbitMqTopic>>;
  /** How groups are declared, by name. Default: a durable classic queue, without limits, that takes the whole topic. */
  readonly groups?: Readonly<Record<string, RabbitMqGroup>>;
  /** Exchanges, queues and bindings of your own, declared at each connect. Default none. */
  readonly topology?: RabbitMqTopology;
  /**
   * How a message's attributes travel: `separate`, a header each by the names of CloudEvents' AMQP binding; or `packed`, in the basic properties and
   * one header, which the broker takes nearly twice as fast. Both are read always; choose `packed` once every consumer has a version that reads it
   * (docs/wire-format.md). Default `separate`.
   */
  readonly attributes?: AttributeForm;
  /** Confirm channels that publishes are spread over by lane; at most 16. More help a broker with idle cores only. Default 1. */
  readonly publishChannels?: number;
  /** For each address. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A publish that the broker has not answered by then failed as `transient`. Default 30,000. */
  readonly confirmTimeoutMs?: number;
  /** A silent connection is taken for dead after twice this time; whole seconds. Default 10,000. */
  readonly heartbeatMs?: number;
  /** The longest wait between two attempts to connect again; the first is 100. Default 5,000. */
  readonly reconnectMaxMs?: number;
  /** Larger payloads are `too-large`. Keep it at or below the broker's `max_message_size`. Default 16 MiB, as RabbitMQ 4 has it. */
  readonly maxMessageBytes?: number;
  /** How long `close` lets handlers run on that nobody stopped before. Default 10,000. */
  readonly drainMs?: number;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: TidingsLogger;
}

const isAmqp = (url: string): boolean => URL.canParse(url) && /^amqps?:$/.test(new URL(url).protocol);
/** The message leaves the address out: it may hold a password. */
const address = z.string().refine(isAmqp, 'expected an amqp:// or amqps:// address');
const ms = (fallback: number) => z.int().min(1).max(2_147_483_647).default(fallback);

const pem = z.union([z.string(), z.instanceof(Buffer)], 'expected PEM as text or a Buffer').optional();

const schema = z.strictObject({
  urls: z
    .union([z.string(), z.array(z.string())], 'expected an address or a list of addresses')
    .transform((urls) => (typeof urls === 'string' ? [urls] : urls))
    .pipe(z.array(address).min(1, 'expected at least one address')),
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
  vhost: z.string().min(1, 'expected the name of a virtual host').optional(),
  prefix: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'expected up to 64 letters, digits, - and _')
    .default('tidings'),
  prefetch: z.int().min(1).max(65_535).optional(),
  orderedQueues: z.int().min(1).max(64, 'expected at most 64: there are 64 lanes').default(8),
  ...topologyOptions,
  attributes: z.enum(['separate', 'packed'], { error: 'expected separate or packed' }).default('separate'),
  publishChannels: z.int().min(1).max(16, 'expected at most 16').default(1),
  connectTimeoutMs: ms(5_000),
  confirmTimeoutMs: ms(30_000),
  heartbeatMs: z.int().min(1_000).max(600_000).multipleOf(1_000).default(10_000),
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

export type RabbitMqSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `rabbitmq.urls.0`. */
export const rabbitMqSettings = (options: RabbitMqOptions): RabbitMqSettings =>
  parseOptions('rabbitmq', schema, options);
