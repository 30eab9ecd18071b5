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

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaTopic {
  /** When it is created; one that exists keeps its own. Default: the transport's `partitions`. */
  readonly partitions?: number;
  /** When it is created. Default: the transport's `replicas`. */
  readonly replicas?: number;
  /** Kafka's topic settings when it is created, as `{ 'retention.ms': '86400000' }`. Default: the broker's. */
  readonly config?: Readonly<Record<string, string>>;
  /**
   * Where a message goes: `key`, as Java's default partitioner (murmur2; without a key in turn); `round-robin`, whatever its key, so that no group on the
   * topic may be ordered; or a function that names the partition, from 0. Default `key`.
   */
  readonly partition?: 'key' | 'round-robin' | ((message: Message, partitions: number) => number);
}

/** A host and port as brokers advertise them, and where they are reached from here. */
export type KafkaAddresses = (broker: { readonly host: string; readonly port: number }) => {
  readonly host: string;
  readonly port: number;
};

export interface KafkaOptions {
  /** `kafka://host:port` addresses of one cluster; the others are learnt from it. */
  readonly urls: string | readonly string[];
  /** Encrypts; `true` with Node's authorities and each broker's own name. Default: not encrypted. */
  readonly tls?: boolean | TlsOptions;
  /** Default: no authentication. */
  readonly sasl?: KafkaSasl;
  /** Begins the name of every topic and group; empty for none. Default `tidings`. */
  readonly prefix?: string;
  /** Of topics that this transport creates. Ordered groups spread over as many processes. Default 8. */
  readonly partitions?: number;
  /** Of topics that this transport creates. Default: the broker's. */
  readonly replicas?: number;
  /** Topics by name. */
  readonly topics?: Readonly<Record<string, KafkaTopic>>;
  /** Whether missing topics are created. False: they must be there, `unroutable` else. Default true. */
  readonly createTopics?: boolean;
  /**
   * What confirms a publish: `all` in-sync replicas, the leader alone (1), or nobody (0: confirmed is what was written to the socket). Default `all`.
   */
  readonly acks?: 'all' | 0 | 1;
  /** The broker drops what the client's own repetitions double. Needs acks `all`. Default false: consumers meet copies anyway. */
  readonly idempotent?: boolean;
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip';
  /**
   * Records of senders that know neither Tidings nor CloudEvents: the message's id is `topic/partition/offset`, its source and its type (default: the
   * topic) are these. Default: without an id a record is unreadable, a dead letter.
   */
  readonly foreign?: { readonly source: string; readonly type?: string };
  /** Deliveries of one partition that one consumer takes ahead; it stops reading the partition there. Default 1,000. */
  readonly prefetch?: number;
  /** The broker gives a consumer's partitions to others when it is silent for so long. Default 30,000. */
  readonly sessionTimeoutMs?: number;
  /** How often a consumer shows that it lives, and learns that its group changes. Default a tenth of the session. */
  readonly heartbeatMs?: number;
  /** How long handlers may run on when the group changes, before their partitions go to others. Default half of the session. */
  readonly rebalanceDrainMs?: number;
  /** How long the broker holds a request when there is nothing to read. Default 100. */
  readonly fetchWaitMs?: number;
  /** The least time between two commits of one consumer; a crash repeats what was handled meanwhile. Default 100. */
  readonly commitIntervalMs?: number;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A publish that the broker has not answered by then failed as `transient`. Default 30,000. */
  readonly confirmTimeoutMs?: number;
  /** The longest wait between two attempts to consume again; the first is 100. Default 5,000. */
  readonly reconnectMaxMs?: number;
  /** Larger payloads are `too-large`; topics are created for it. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** How long `close` lets handlers run on that nobody stopped before. Default 10,000. */
  readonly drainMs?: number;
  /** Where brokers are reached, when not by the addresses that they advertise: behind a tunnel or a proxy. Default: there. */
  readonly addresses?: KafkaAddresses;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Default: silent. The client's own log goes to `debug`. */
  readonly logger?: TidingsLogger;
}

const isKafka = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === 'kafka:' && new URL(url).host !== ''; // prettier-ignore
const address = z.string().refine(isKafka, 'expected a kafka://host:port address');
const MOST_MS = 2_147_483_647;
const ms = (fallback: number) => z.int().min(1).max(MOST_MS).default(fallback);
const pem = z.union([z.string(), z.instanceof(Buffer)], 'expected PEM as text or a Buffer').optional();
const partitions = z.int().min(1).max(10_000);
const replicas = z.int().min(1).max(32_767);
const fn = <Type>() => z.custom<Type>((value) => typeof value === 'function', 'expected a function');

const schema = z
  .strictObject({
    urls: z
      .union([z.string(), z.array(z.string())], 'expected an address or a list of addresses')
      .transform((urls) => (typeof urls === 'string' ? urls.split(',') : urls))
      .pipe(z.array(address).min(1, 'expected at least one address')),
    tls: z
      .union([
        z.boolean(),
        z.strictObject({
          ca: pem,
          cert: pem,
          key: pem,
          passphrase: z.string().optional(),
          servername: z.string().min(1).optional(),
          rejectUnauthorized: z.boolean().optional(),
        }),
      ])
      .default(false),
    sasl: z
      .strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        username: z.string().min(1),
        password: z.string(),
      })
      .optional(),
    prefix: z
      .string()
      .regex(/^[\w-]{0,64}$/, 'expected up to 64 letters, digits, - and _')
      .default('tidings'),
    partitions: partitions.default(8),
    replicas: replicas.optional(),
    topics: z
      .record(
        z.string(),
        z.strictObject({
          partitions: partitions.optional(),
          replicas: replicas.optional(),
          config: z.record(z.string(), z.string()).optional(),
          partition: z
            .union([z.enum(['key', 'round-robin']), fn<(message: Message, partitions: number) => number>()])
            .optional(),
        }),
      )
      .default({}),
    createTopics: z.boolean().default(true),
    acks: z.union([z.literal('all'), z.literal(0), z.literal(1)], 'expected all, 1 or 0').default('all'),
    idempotent: z.boolean().default(false),
    compression: z.enum(['none', 'gzip'], { error: 'expected none or gzip' }).default('none'),
    foreign: z.strictObject({ source: z.string().min(1), type: z.string().min(1).optional() }).optional(),
    prefetch: z.int().min(1).max(100_000).default(1_000),
    sessionTimeoutMs: z.int().min(1_000).max(MOST_MS).default(30_000),
    heartbeatMs: z.int().min(1).max(MOST_MS).optional(),
    rebalanceDrainMs: z.int().min(0).max(MOST_MS).optional(),
    fetchWaitMs: ms(100),
    commitIntervalMs: z.int().min(0).max(MOST_MS).default(100),
    connectTimeoutMs: ms(5_000),
    confirmTimeoutMs: ms(30_000),
    reconnectMaxMs: ms(5_000),
    maxMessageBytes: z
      .int()
      .min(1)
      .default(1024 * 1024),
    drainMs: z.int().min(0).max(MOST_MS).default(10_000),
    addresses: fn<KafkaAddresses>().optional(),
    clock: z
      .custom<Clock>((value) => typeof value === 'object' && value !== null, 'expected a Clock')
      .default(systemClock),
    logger: z
      .custom<TidingsLogger>((value) => typeof value === 'object' && value !== null, 'expected a logger')
      .default(silentLogger),
  })
  .refine(({ acks, idempotent }) => !idempotent || acks === 'all', {
    path: ['idempotent'],
    message: "expected acks 'all' beside it",
  })
  .transform((settings) => ({
    ...settings,
    heartbeatMs: settings.heartbeatMs ?? Math.ceil(settings.sessionTimeoutMs / 10),
    rebalanceDrainMs: settings.rebalanceDrainMs ?? Math.floor(settings.sessionTimeoutMs / 2),
  }))
  .refine(({ heartbeatMs, sessionTimeoutMs }) => heartbeatMs < sessionTimeoutMs / 2, {
    path: ['heartbeatMs'],
    message: 'expected less than half of sessionTimeoutMs',
  })
  .refine(({ rebalanceDrainMs, sessionTimeoutMs }) => rebalanceDrainMs < sessionTimeoutMs, {
    path: ['rebalanceDrainMs'],
    message: 'expected less than sessionTimeoutMs: while it drains a consumer shows no life',
  });

export type KafkaSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `kafka.urls.0`. */
export const kafkaSettings = (options: KafkaOptions): KafkaSettings => parseOptions('kafka', schema, options);

/** `host:port` of each address. */
export const brokersOf = ({ urls }: Pick<KafkaSettings, 'urls'>): string[] =>
  urls.map((url) => {
    const { hostname, port } = new URL(url);
    return `${hostname}:${port || '9092'}`;
  });
