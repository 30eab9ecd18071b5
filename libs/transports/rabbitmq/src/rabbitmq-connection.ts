import type { Socket } from 'node:net';
import { asError, backoffMs, CLOSE_MS, endedWithin, TidingsError } from '@tidings/core';
import { type ChannelModel, connect } from 'amqplib';
import { gatherWrites, SOCKET_BUFFER_BYTES } from './gathered-writes';
import { RabbitMqConnectError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';

/** One connection that stands, until `lost` resolves. */
export interface Link {
  readonly model: ChannelModel;
  readonly address: string;
  /** Resolves, never rejects, with what ended it. */
  readonly lost: Promise<Error>;
  /** The alarm for which the broker reads nothing more from this connection, if any. */
  blocked: string | undefined;
}

const withoutPassword = (url: string): string => new URL(url).host;

/**
 * A connection that comes back by itself: addresses in turn, a pause after each round without an answer. Publishing and consuming have one each,
 * for a broker under pressure stops reading from publishers, and acks must still get through.
 */
export class RabbitMqConnection {
  readonly #stopping = new AbortController();
  readonly #waiting = new Set<(link: Link | undefined) => void>();
  #link: Link | undefined;
  #address = 0;
  #lastError: Error | undefined;
  #keeping: Promise<void> | undefined;

  constructor(
    private readonly purpose: 'publish' | 'consume',
    private readonly settings: RabbitMqSettings,
  ) {}

  get link(): Link | undefined {
    return this.#link;
  }

  get detail(): string {
    const { purpose } = this;
    if (this.#link?.blocked) return `${purpose}: ${this.#link.address} is blocked: ${this.#link.blocked}`;
    if (this.#link) return `${purpose}: connected to ${this.#link.address}`;
    return `${purpose}: not connected${this.#lastError ? `, last: ${this.#lastError.message}` : ''}`;
  }

  /** Tries each address once; safe again after that has failed, not concurrently. @throws RabbitMqConnectError when none answers. */
  async open(): Promise<void> {
    if (this.#keeping) return;
    const link = await this.#round();
    this.#keeping = this.#keep(link);
  }

  /** The link as soon as there is one; undefined once `signal` aborts or the connection is closed. */
  connected(signal: AbortSignal): Promise<Link | undefined> {
    if (signal.aborted || this.#stopping.signal.aborted) return Promise.resolve(undefined);
    if (this.#link) return Promise.resolve(this.#link);
    return new Promise((resolve) => {
      const done = (link: Link | undefined): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', onAbort);
        resolve(link);
      };
      const onAbort = (): void => done(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(done);
    });
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#tell(undefined);
    const link = this.#link;
    if (link) await this.#shut(link);
    await this.#keeping;
  }

  async #keep(first: Link): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    for (let link: Link | undefined = first; link;) {
      this.#link = link;
      this.#tell(link);
      this.#lastError = await link.lost;
      this.#link = undefined;
      if (this.#stopping.signal.aborted) return;
      logger.warn(
        { purpose: this.purpose, address: link.address, err: this.#lastError },
        'the connection to RabbitMQ was lost',
      );
      link = undefined;
      for (let failures = 0; !link && !this.#stopping.signal.aborted;) {
        try {
          link = await this.#round();
        } catch (thrown) {
          this.#lastError = asError(thrown);
          await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#stopping.signal);
        }
      }
      if (link) logger.info({ purpose: this.purpose, address: link.address }, 'connected to RabbitMQ again');
    }
  }

  async #round(): Promise<Link> {
    const failures: { address: string; error: Error }[] = [];
    for (let tried = 0; tried < this.settings.urls.length && !this.#stopping.signal.aborted; tried++) {
      const url = this.settings.urls[this.#address % this.settings.urls.length]!;
      try {
        return await this.#connect(url);
      } catch (thrown) {
        failures.push({ address: withoutPassword(url), error: asError(thrown) });
        this.#address += 1;
      }
    }
    throw new RabbitMqConnectError(failures);
  }

  async #connect(url: string): Promise<Link> {
    const { connectTimeoutMs, heartbeatMs, prefix, tls, vhost } = this.settings;
    const target = new URL(url);
    if (vhost !== undefined) target.pathname = `/${encodeURIComponent(vhost)}`;
    if (!target.searchParams.has('heartbeat')) target.searchParams.set('heartbeat', String(heartbeatMs / 1_000));
    const options = {
      ...(target.protocol === 'amqps:' && tls),
      timeout: connectTimeoutMs,
      // amqplib's default leaves Nagle's algorithm on, which costs 45 to 60 ms for a single confirmed publish instead of 2 to 3.
      noDelay: true,
      writableHighWaterMark: SOCKET_BUFFER_BYTES,
      clientProperties: { connection_name: `${prefix} ${this.purpose}` },
    };
    const model = await connect(target.href, options);
    gatherWrites(socketOf(model));
    const link = linkOf(model, withoutPassword(url));
    model.on('blocked', (reason) => (link.blocked = reason));
    model.on('unblocked', () => (link.blocked = undefined));
    void link.lost.then(() => this.#discard(model));
    if (!this.#stopping.signal.aborted) return link;
    await this.#shut(link);
    throw new TidingsError('TIDINGS_RABBITMQ_CLOSED', 'closed while connecting');
  }

  #tell(link: Link | undefined): void {
    for (const done of [...this.#waiting]) done(link);
  }

  async #shut(link: Link): Promise<void> {
    void link.model.close().catch(() => undefined);
    if (await endedWithin(this.settings.clock, CLOSE_MS, link.lost)) return;
    link.model.emit(
      'close',
      new TidingsError('TIDINGS_RABBITMQ_CLOSED', 'the broker did not answer the closing handshake'),
    );
  }

  /** amqplib ends a lost socket politely; one whose other side is silent would stay, and keep the process alive, until TCP gives up. */
  async #discard(model: ChannelModel): Promise<void> {
    const stream = socketOf(model);
    const closed = new Promise<void>((resolve) => stream.once('close', resolve));
    if (!stream.closed && !(await endedWithin(this.settings.clock, CLOSE_MS, closed))) stream.destroy();
  }
}

/** Not in amqplib's types. */
const socketOf = (model: ChannelModel): Socket => (model.connection as unknown as { stream: Socket }).stream;

function linkOf(model: ChannelModel, address: string): Link {
  let cause: Error | undefined;
  const lost = new Promise<Error>((resolve) => {
    // Without a listener an 'error' would end the process; 'close' follows it always.
    model.on('error', (error) => (cause = error));
    model.on('close', (error) =>
      resolve(error ?? cause ?? new TidingsError('TIDINGS_RABBITMQ_CLOSED', 'the connection was closed')),
    );
  });
  return { model, address, lost, blocked: undefined };
}
