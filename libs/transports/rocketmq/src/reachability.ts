import { connect } from 'node:net';
import { once } from 'node:events';
import { asError, backoffMs, endedWithin } from '@tidings/core';
import { RocketMqConnectError } from './rocketmq.errors';
import type { RocketMqSettings } from './rocketmq.options';

/**
 * Whether the proxies answer: told by each call that works or fails, and asked for while they do not, for who is taken out of service because of it calls
 * nothing any more.
 */
export class Reachability {
  readonly #stopping = new AbortController();
  #state: 'new' | 'up' | 'down' | 'closed' = 'new';
  #problem = '';
  #asking: Promise<void> | undefined;

  constructor(private readonly settings: RocketMqSettings) {}

  get up(): boolean {
    return this.#state === 'up';
  }

  get detail(): string {
    const { urls } = this.settings;
    const addresses = urls.map((url) => new URL(url).host).join(', ');
    const texts = {
      new: 'not connected yet',
      up: `connected to ${addresses}`,
      down: `${addresses} away: ${this.#problem}`,
      closed: 'closed',
    };
    return texts[this.#state];
  }

  /** @throws RocketMqConnectError when no address takes a connection. */
  async ask(): Promise<void> {
    const { urls, clock, connectTimeoutMs } = this.settings;
    const attempts = [];
    for (const url of urls) {
      const { hostname, port, host } = new URL(url);
      const socket = connect(Number(port || 8081), hostname);
      try {
        const connecting = once(socket, 'connect');
        if (await endedWithin(clock, connectTimeoutMs, connecting)) {
          await connecting;
          return this.works();
        }
        connecting.catch(() => undefined);
        attempts.push({ address: host, error: new Error(`no answer within ${connectTimeoutMs} ms`) });
      } catch (thrown) {
        attempts.push({ address: host, error: asError(thrown) });
      } finally {
        socket.destroy();
      }
    }
    throw new RocketMqConnectError(attempts);
  }

  works(): void {
    if (this.#state !== 'closed') this.#state = 'up';
  }

  fails(error: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'down';
    this.#problem = error.message;
    this.#asking ??= this.#untilUp();
  }

  /** Safe twice. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#stopping.abort();
    await this.#asking;
  }

  async #untilUp(): Promise<void> {
    const { clock, reconnectMaxMs } = this.settings;
    for (let failures = 1; this.#state === 'down'; failures++) {
      await clock.wait(backoffMs(failures, reconnectMaxMs), this.#stopping.signal);
      if (this.#state === 'down') await this.ask().catch(() => undefined);
    }
    this.#asking = undefined;
  }
}
