import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import type { Transport } from '@tidings/core';
import { TcpProxy } from '@tidings/testing';
import { Redis } from 'ioredis';
import type { RedisOptions } from './redis.options';
import type { RedisConsumingOptions } from './redis-consuming.options';
import { RedisNames } from './redis-names';
import { RedisTransport } from './redis.transport';

/** A prefix of the spec's own on the real server, behind a wire that it can cut. `close` deletes all keys of the prefix. */
export class SpecRedis {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly names = new RedisNames(this.prefix);
  readonly admin: Redis;
  readonly #transports: Pick<Transport, 'close'>[] = [];
  /** A rejection that nobody handles would end the process that uses the transport. */
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (reason: unknown): void => void this.#unhandled.push(reason);

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
  ) {
    this.admin = new Redis(url);
    process.on('unhandledRejection', this.#onUnhandled);
  }

  static async at(url: string): Promise<SpecRedis> {
    return new SpecRedis(url, await TcpProxy.to(url));
  }

  /** Options of a transport in another process: straight to the server. */
  get directOptions(): RedisOptions {
    return { ...this.consumingOptions, streams: 4, reclaimIdleMs: 0 };
  }

  /** Those that lists have too. */
  get consumingOptions(): RedisConsumingOptions {
    return { urls: this.url, prefix: this.prefix, leaseMs: 3_000, reclaimEveryMs: 500, reconnectMaxMs: 200, delayPollMs: 20 }; // prettier-ignore
  }

  /** Closes it with this. */
  closes(transport: Pick<Transport, 'close'>): void {
    this.#transports.push(transport);
  }

  /** Not yet connected; closed with this. */
  transport(options: Partial<RedisOptions> = {}): RedisTransport {
    const transport = new RedisTransport({ ...this.directOptions, urls: this.proxy.url, ...options });
    this.#transports.push(transport);
    return transport;
  }

  async connected(options: Partial<RedisOptions> = {}): Promise<RedisTransport> {
    const transport = this.transport(options);
    await transport.connect();
    return transport;
  }

  async keys(): Promise<string[]> {
    const found: string[] = [];
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, keys] = await this.admin.scan(cursor, 'MATCH', `${this.prefix}:*`, 'COUNT', 1_000);
      found.push(...keys);
      cursor = next;
    }
    return found;
  }

  async deleteKeys(): Promise<void> {
    const keys = await this.keys();
    if (keys.length > 0) await this.admin.del(...keys);
  }

  async closeTransports(): Promise<void> {
    await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
  }

  async close(): Promise<void> {
    await this.closeTransports();
    await this.proxy.close();
    process.off('unhandledRejection', this.#onUnhandled);
    await this.deleteKeys();
    const ended = once(this.admin, 'end'); // until then ioredis has a timer, of 2 s
    this.admin.disconnect();
    await ended;
    expect(this.#unhandled).toEqual([]);
  }
}
