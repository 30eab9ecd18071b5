import { asError, backoffMs, TidingsError } from '@tidings/core';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { RedisClosedError, RedisConnectError } from './redis.errors';
import type { ConnectionSettings } from './redis-connection.options';

export type RedisClient = Redis | Cluster;

interface Address {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls?: object;
}

const addressOf = (url: string, tls: ConnectionSettings['tls']): Address => {
  const { hostname, port, username, password, pathname, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    db: Number(pathname.slice(1) || 0),
    ...(protocol === 'rediss:' && { tls: { ...tls } }),
  };
};

/**
 * One client of ioredis that comes back by itself. A command either gets its answer or fails: nothing is queued while the server is away and nothing
 * is sent twice, for the callers decide what may be repeated. Readers have a connection each: a read that waits holds up everything behind it.
 */
export class RedisConnection {
  readonly client: RedisClient;
  readonly #addresses: readonly Address[];
  #at = 0;
  #opened = false;
  #closed = false;
  #lastError: Error | undefined;

  constructor(
    readonly purpose: string,
    private readonly settings: ConnectionSettings,
  ) {
    this.#addresses = settings.urls.map((url) => addressOf(url, settings.tls));
    this.client = settings.cluster ? this.#cluster() : this.#single();
    this.client.on('error', (error: Error) => (this.#lastError = error));
    this.client.on('ready', () => {
      if (this.#opened) settings.logger.info({ purpose }, 'connected to Redis again');
    });
    this.client.on('close', () => {
      if (this.#opened && !this.#closed)
        settings.logger.warn({ purpose, err: this.#lastError }, 'the connection to Redis was lost');
    });
  }

  get up(): boolean {
    return !this.#closed && this.client.status === 'ready';
  }

  get detail(): string {
    const { host, port } = this.#address;
    if (this.up) return `${this.purpose}: connected to ${host}:${port}`;
    return `${this.purpose}: not connected${this.#lastError ? `, last: ${this.#lastError.message}` : ''}`;
  }

  /** Tries each address once; safe again after that has failed, not concurrently. @throws RedisConnectError when none answers. */
  async open(): Promise<void> {
    if (this.#opened) return;
    const failures: { address: string; error: Error }[] = [];
    const several = this.settings.cluster || this.settings.sentinel; // ioredis tries them all itself
    for (let tried = 0; tried < (several ? 1 : this.#addresses.length); tried++) {
      try {
        await this.client.connect();
        this.#opened = true;
        return;
      } catch (thrown) {
        failures.push({
          address: `${this.#address.host}:${this.#address.port}`,
          error: this.#lastError ?? asError(thrown),
        });
        this.client.disconnect();
        this.#next();
      }
    }
    throw new RedisConnectError(failures);
  }

  /** True as soon as it can be used; false once `signal` aborts or it is closed. */
  ready(signal: AbortSignal): Promise<boolean> {
    if (this.up || this.#closed || signal.aborted) return Promise.resolve(this.up && !signal.aborted);
    return new Promise((resolve) => {
      const done = (): void => {
        this.client.off('ready', done);
        this.client.off('end', done);
        signal.removeEventListener('abort', done);
        resolve(this.up && !signal.aborted);
      };
      this.client.on('ready', done);
      this.client.on('end', done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /**
   * Sends one command; replies are Buffers. A server that does not answer in time is given up with its connection, else everything would queue
   * behind it for ever.
   */
  async call(command: string, args: readonly (string | number | Buffer)[]): Promise<unknown> {
    if (this.#closed) throw new RedisClosedError(command);
    if (!this.up) throw away(this);
    try {
      return await this.client.callBuffer(command, args as (string | number | Buffer)[]);
    } catch (thrown) {
      const error = asError(thrown);
      if (error.message === 'Command timed out' && this.client instanceof Redis) this.client.disconnect(true);
      throw error;
    }
  }

  /**
   * Sends commands that name no key, in their order, to whoever has this one. A cluster's client sends each such command to any node: there WAIT counts
   * what others wrote, PUBLISHes overtake each other, and TIME is another clock.
   */
  async callNear(
    key: string,
    commands: readonly (readonly [string, ...(string | number | Buffer)[]])[],
  ): Promise<unknown[]> {
    if (!(this.client instanceof Cluster)) return Promise.all(commands.map(([name, ...args]) => this.call(name, args)));
    if (this.#closed) throw new RedisClosedError(commands[0]![0]);
    if (!this.up) throw away(this);
    const pipeline = this.client.pipeline([['exists', key]]); // of commands that go together the first one's key leads them
    for (const [name, ...args] of commands) pipeline.callBuffer(name, ...args);
    const [, ...answers] = (await pipeline.exec())!;
    return answers.map(([error, answer]) => {
      if (error) throw error;
      return answer;
    });
  }

  close(): void {
    this.#closed = true;
    this.client.disconnect();
  }

  get #address(): Address {
    return this.#addresses[this.#at % this.#addresses.length]!;
  }

  /** ioredis reads host and port from its options at each connect. */
  #next(): void {
    this.#at += 1;
    if (this.client instanceof Redis && !this.settings.sentinel) Object.assign(this.client.options, this.#address);
  }

  #options(): RedisOptions {
    const { connectTimeoutMs, commandTimeoutMs } = this.settings;
    return {
      lazyConnect: true,
      connectTimeout: connectTimeoutMs,
      commandTimeout: commandTimeoutMs,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0, // at the loss of the connection, whatever was in flight fails
      keepAlive: 10_000,
      // A primary that became a replica: its address leads to the new one by sentinel, cluster or DNS.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    };
  }

  readonly #retry = (failures: number): number | null => {
    if (!this.#opened || this.#closed) return null;
    this.#next();
    return backoffMs(Math.max(1, failures), this.settings.reconnectMaxMs);
  };

  #single(): Redis {
    const { sentinel } = this.settings;
    const { prefix } = this.settings;
    const shared = { ...this.#options(), retryStrategy: this.#retry, connectionName: `${prefix}:${this.purpose}`.replace(/[^\w:.-]/g, '_') }; // prettier-ignore
    if (!sentinel) return new Redis({ ...shared, ...this.#address });
    const [first] = this.#addresses;
    return new Redis({
      ...shared,
      ...sentinel,
      sentinels: this.#addresses.map(({ host, port }) => ({ host, port })),
      ...(first?.username && { sentinelUsername: first.username }),
      ...(first?.password && { sentinelPassword: first.password }),
      ...(first?.tls && { tls: first.tls, enableTLSForSentinelMode: true, sentinelTLS: first.tls }),
      sentinelRetryStrategy: this.#retry,
      db: first?.db ?? 0,
    });
  }

  #cluster(): Cluster {
    const [first] = this.#addresses;
    const { username, password, tls } = first!;
    // A node's connection is made by the first command that goes there, and that one and those behind it have to wait for it.
    const { enableOfflineQueue: _, ...shared } = this.#options();
    return new Cluster(
      this.#addresses.map(({ host, port }) => ({ host, port })),
      {
        lazyConnect: true,
        clusterRetryStrategy: this.#retry,
        retryDelayOnFailover: 0, // what was in flight when a node's connection ended is not sent again: it may have been carried out
        slotsRefreshTimeout: this.settings.connectTimeoutMs,
        redisOptions: {
          ...shared,
          ...(username && { username }),
          ...(password && { password }),
          ...(tls && { tls }),
        },
      },
    );
  }
}

/** For results of what never reached a server. */
export const away = (connection: RedisConnection): TidingsError =>
  new TidingsError('TIDINGS_REDIS_AWAY', `redis: ${connection.detail}`);
