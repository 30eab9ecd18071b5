import { type Clock, silentLogger, systemClock, type TidingsLogger, type TlsOptions } from '@tidings/core';
import { z } from 'zod';

/** What each of this package's transports needs to reach its server. */
export interface RedisConnectionOptions {
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
/** Whole milliseconds that a timer takes. */
export const ms = (fallback: number) => z.int().min(1).max(2_147_483_647).default(fallback);
const pem = z.union([z.string(), z.instanceof(Buffer)], 'expected PEM as text or a Buffer').optional();

/** Part of each transport's schema. */
export const connectionShape = {
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
};

export type ConnectionSettings = z.output<z.ZodObject<typeof connectionShape>>;
