import { asError, backoffMs, CLOSE_MS, endedWithin, TidingsError } from '@tidings/core';
import type { Channel, ChannelModel } from 'amqplib';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';

export interface SupervisedChannelOptions<Open extends Channel> {
  /** For logs. */
  readonly name: string;
  readonly create: (model: ChannelModel) => Promise<Open>;
  /** Makes a fresh channel useful: topology, consumers. Called anew for every channel. */
  readonly setUp: (channel: Open) => Promise<void>;
  /** The channel of the last `setUp` is gone, and with it whatever was in flight on it. Also called when `setUp` failed. */
  readonly lost: () => void;
  /** An error of `setUp` that no second attempt mends: `start` rejects with it. Later ones are only logged and tried again. */
  readonly hopeless: (error: Error) => boolean;
}

/**
 * A channel that comes back by itself, whatever ended it: the connection, an error of the channel, or the owner, who closes it to begin anew.
 *
 * waiting (for a connection) → opening (create, setUp) → ready → waiting …; from each to stopped, which is final.
 */
export class SupervisedChannel<Open extends Channel> {
  readonly #stopping = new AbortController();
  #channel: Open | undefined;
  #loop: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly connection: RabbitMqConnection,
    private readonly settings: RabbitMqSettings,
    private readonly options: SupervisedChannelOptions<Open>,
  ) {}

  /** The channel while it is ready. */
  get channel(): Open | undefined {
    return this.#channel;
  }

  /** Resolves when the channel is ready for the first time; rejects with a hopeless error, or when it is stopped before. Call once. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#loop = this.#run(resolve, reject).then(() =>
        reject(new TidingsError('TIDINGS_RABBITMQ_CLOSED', `${this.options.name}: stopped before it was ready`)),
      );
    });
  }

  /** No channel is opened from now on; `drain` still has the one that is open, then it is closed. Safe twice and concurrently. */
  stop(drain: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    return (this.#stopped ??= this.#stop(drain));
  }

  async #stop(drain: () => Promise<void>): Promise<void> {
    this.#stopping.abort();
    await drain();
    const channel = this.#channel;
    if (channel) await this.close(channel);
    await this.#loop;
  }

  /** Closes a channel, whatever state it is in. While not stopped, another one follows. */
  async close(channel: Open): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      channel.once('close', resolve);
      channel.close().catch(() => resolve()); // it was closed already
    });
    // A broker that hangs is not waited for: whoever listens takes the channel for closed.
    if (!(await endedWithin(this.settings.clock, CLOSE_MS, closed))) channel.emit('close');
  }

  async #run(ready: () => void, failed: (error: Error) => void): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    let everReady = false;
    for (let failures = 0; ;) {
      const link = await this.connection.connected(this.#stopping.signal);
      if (!link) return;
      let error: Error;
      try {
        error = await this.#live(link.model, link.lost, () => {
          everReady = true;
          failures = 0;
          ready();
        });
      } catch (thrown) {
        error = asError(thrown);
        if (!everReady && this.options.hopeless(error)) return failed(error);
      }
      if (this.#stopping.signal.aborted) return;
      logger.warn({ channel: this.options.name, err: error }, 'a channel of RabbitMQ was lost; it is opened again');
      await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#stopping.signal);
    }
  }

  /** One channel's life. Resolves with what ended it; rejects when it was not set up. */
  async #live(model: ChannelModel, connectionLost: Promise<Error>, ready: () => void): Promise<Error> {
    const channel = await this.options.create(model);
    const closed = new Promise<Error>((resolve) => {
      channel.on('error', resolve); // without a listener it would end the process; 'close' follows
      channel.once('close', () => resolve(new TidingsError('TIDINGS_RABBITMQ_CLOSED', 'the channel was closed')));
      // A connection that broke before these listeners stood has told 'close' already.
      void connectionLost.then(resolve);
    });
    try {
      await this.options.setUp(channel);
      if (this.#stopping.signal.aborted) {
        await this.close(channel);
      } else {
        this.#channel = channel;
        ready();
      }
      return await closed;
    } catch (thrown) {
      await this.close(channel);
      throw thrown;
    } finally {
      this.#channel = undefined;
      this.options.lost();
    }
  }
}
