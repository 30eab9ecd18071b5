import type { Channel, ConfirmChannel } from 'amqplib';
import { ConfirmingChannel } from './confirming-channel';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { codeOf, REPLY } from './rabbitmq-topology';
import { SupervisedChannel } from './supervised-channel';

/** Frames, each a small message or an eighth of a MiB: what may wait in this process's memory for the socket. */
const WRITE_BUFFER_FRAMES = 256;

const HOPELESS: readonly (number | undefined)[] = [REPLY.accessRefused, REPLY.preconditionFailed];

export interface PublishingChannelsOptions {
  /** Before the first of the pool is used, each time that it is opened. */
  readonly prepare: (channel: Channel) => Promise<void>;
  /** A channel is gone, and what was in flight on it. */
  readonly lost: () => void;
}

/** The bounded pool of confirm channels. A lane always has the same one, for order is kept within a channel only. */
export class PublishingChannels {
  readonly #channels: readonly SupervisedChannel<ConfirmChannel>[];
  readonly #confirming: (ConfirmingChannel | undefined)[];

  constructor(
    connection: RabbitMqConnection,
    settings: RabbitMqSettings,
    { prepare, lost }: PublishingChannelsOptions,
  ) {
    const numbers = Array.from({ length: settings.publishChannels }, (_, number) => number);
    this.#confirming = numbers.map(() => undefined);
    this.#channels = numbers.map(
      (number) =>
        new SupervisedChannel<ConfirmChannel>(connection, settings, {
          name: `publish ${number}`,
          create: (model) => model.createConfirmChannel({ highWaterMark: WRITE_BUFFER_FRAMES }),
          setUp: async (channel) => {
            if (number === 0) await prepare(channel);
            this.#confirming[number] = new ConfirmingChannel(channel);
          },
          lost: () => {
            this.#confirming[number] = undefined;
            lost();
          },
          hopeless: (error) => HOPELESS.includes(codeOf(error)),
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
    const [first, ...others] = this.#channels;
    await first?.start(); // refused: the others never began, and a second start is a first one
    await Promise.all(others.map((channel) => channel.start()));
  }

  /** Nothing is opened from now on; `drain` still has what is open. */
  async stop(drain: () => Promise<void>): Promise<void> {
    const drained = drain();
    await Promise.all(this.#channels.map((channel) => channel.stop(() => drained)));
  }
}
