import {
  type Clock,
  parseOptions,
  silentLogger,
  systemClock,
  type TidingsLogger,
  type TlsOptions,
} from '@tidings/core';
import { z } from 'zod';

export interface MqttOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://` addresses of one broker or cluster, tried in turn. */
  readonly urls: string | readonly string[];
  /** For `mqtts://` and `wss://` addresses, as Node's TLS has them. */
  readonly tls?: TlsOptions;
  /** `5.0` or `3.1.1`, the same for all who share topics: the wire differs (docs/wire-format.md). Default `5.0`. */
  readonly protocol?: '5.0' | '3.1.1';
  /**
   * Quality of service of messages, in both directions. 0: fire and forget, `confirmed` says only that it was written. 1: acknowledged. 2: acknowledged in
   * two steps; a handler's crash still brings a copy, as with 1. Default 1.
   */
  readonly qos?: 0 | 1 | 2;
  /** Begins the name of every topic and client id: letters, digits, `-` and `_`. Default `tidings`. */
  readonly prefix?: string;
  /**
   * Sessions that a group consists of: so many consumers at most share it. Each is a connection of whichever process holds it. The same in every process
   * of a group, for ever (GroupShapeError). Default 4.
   */
  readonly seats?: number;
  /** False: an unordered group is spread by lanes, as an ordered one; for brokers without `$share`, as RabbitMQ. Default true. */
  readonly sharedSubscriptions?: boolean;
  /** Topics whose last message of each key is retained: a broadcast consumer that comes later begins with these. Default none. */
  readonly retained?: readonly string[];
  /** Unsettled deliveries that one seat takes at most; MQTT 5.0 only. The broker's own limit may be lower. Default twice the concurrency, at least 64. */
  readonly prefetch?: number;
  /** How long a group's session outlives its last connection, in whole seconds; MQTT 5.0 only. Default: for ever. */
  readonly sessionExpiryMs?: number;
  /** How often a process tells the others of its groups that it is there. Three times this without a word, and its seats go to others. Default 5,000. */
  readonly presenceMs?: number;
  /** For each address. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A publish that the broker has not answered by then failed as `transient`. Default 30,000. */
  readonly confirmTimeoutMs?: number;
  /** A silent connection is taken for dead after one and a half times this time; whole seconds. Default 10,000. */
  readonly keepAliveMs?: number;
  /** The longest wait between two attempts to connect again; the first is 100. Default 5,000. */
  readonly reconnectMaxMs?: number;
  /** Larger payloads are `too-large`. Keep it at or below the broker's `message_size_limit`. Default 16 MiB. */
  readonly maxMessageBytes?: number;
  /** How long `close` lets handlers run on that nobody stopped before. Default 10,000. */
  readonly drainMs?: number;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: TidingsLogger;
}

const isMqtt = (url: string): boolean => URL.canParse(url) && /^(mqtts?|wss?):$/.test(new URL(url).protocol);
/** The message leaves the address out: it may hold a password. */
const address = z.string().refine(isMqtt, 'expected an mqtt://, mqtts://, ws:// or wss:// address');
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
  protocol: z.enum(['5.0', '3.1.1'], { error: 'expected 5.0 or 3.1.1' }).default('5.0'),
  qos: z.union([z.literal(0), z.literal(1), z.literal(2)], 'expected 0, 1 or 2').default(1),
  prefix: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'expected up to 64 letters, digits, - and _')
    .default('tidings'),
  seats: z.int().min(1).max(64, 'expected at most 64: there are 64 lanes').default(4),
  sharedSubscriptions: z.boolean().default(true),
  retained: z.array(z.string()).default([]),
  prefetch: z.int().min(1).max(65_535).optional(),
  sessionExpiryMs: z.int().min(1_000).max(4_294_967_294_000).multipleOf(1_000).optional(),
  presenceMs: ms(5_000),
  connectTimeoutMs: ms(5_000),
  confirmTimeoutMs: ms(30_000),
  keepAliveMs: z.int().min(1_000).max(65_535_000).multipleOf(1_000).default(10_000),
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

export type MqttSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `mqtt.urls.0`. */
export const mqttSettings = (options: MqttOptions): MqttSettings => parseOptions('mqtt', schema, options);
