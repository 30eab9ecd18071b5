import type { ConfirmChannel } from 'amqplib';
import { ConfirmingChannel } from './confirming-channel';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { SupervisedChannel } from './supervised-channel';

/** Frames, each a small message or an eighth of a MiB: what may wait in this process's memory for the socket. */
const WRITE_BUFFER_FRAMES = 256;

/** The bounded pool of confirm channels. A lane always has the same one, for order is kept within a channel only. */
export class PublishingChannels {
  readonly #channels: readonly SupervisedChannel<ConfirmChannel>[];
  readonly #confirming: (ConfirmingChannel | undefined)[];

  constructor(connection: RabbitMqConnection, settings: RabbitMqSettings, lost: () => void) {
    const numbers = Array.from({ length: settings.publishChannels }, (_, number) => number);
    this.#confirming = numbers.map(() => undefined);
    this.#channels = numbers.map(
      (number) =>
        new SupervisedChannel<ConfirmChannel>(connection, settings, {
          name: `publish ${number}`,
          create: (model) => model.createConfirmChannel({ highWaterMark: WRITE_BUFFER_FRAMES }),
          setUp: (channel) => {
            this.#confirming[number] = new ConfirmingChannel(channel);
            return Promise.resolve();
          },
          lost: () => {
            this.#confirming[number] = undefined;
            lost();
          },
          hopeless: () => false,
        }),
    );
  }

  /** All of them, or undefined while one is away. */
  get ready(): readonly ConfirmingChannel[] | undefined {
    const ready = this.#confirming.filter((channel) => channel !== undefined);
    return ready.length === this.#confirming.length ? ready : undefined;
  }

  /** Resolves when all are ready. Call once. */
  async start(): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.start()));
  }

  /** Nothing is opened from now on; `drain` still has what is open. */
  async stop(drain: () => Promise<void>): Promise<void> {
    const drained = drain();
    await Promise.all(this.#channels.map((channel) => channel.stop(() => drained)));
  }
}
