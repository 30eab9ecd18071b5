import { asError, backoffMs, type NativeDeadLetter } from '@tidings/core';
import type { Channel, ConsumeMessage } from 'amqplib';
import { letterOf } from './native-dead-letters';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { SupervisedChannel } from './supervised-channel';

export type Bury = (letter: NativeDeadLetter) => Promise<void>;

/**
 * Empties a group's dead-letter queue into a keeper, one letter at a time: acked when it is buried, so that a crash leaves it where it was. Several
 * processes may do it at once; each letter is with one of them.
 */
export class DeadLetterTaker {
  readonly #stopping = new AbortController();
  readonly #channel: SupervisedChannel<Channel>;
  #burying: Promise<void> = Promise.resolve();

  constructor(
    private readonly place: { readonly queue: string; readonly topic: string; readonly group: string },
    private readonly bury: Bury,
    connection: RabbitMqConnection,
    private readonly settings: RabbitMqSettings,
  ) {
    let alive = { channel: true };
    this.#channel = new SupervisedChannel<Channel>(connection, settings, {
      name: `dead letters of ${place.group} on ${place.topic}`,
      create: (model) => model.createChannel(),
      setUp: async (channel) => {
        alive = { channel: true };
        await this.#consume(channel, alive);
      },
      lost: () => (alive.channel = false),
      hopeless: () => false,
    });
  }

  start(): Promise<void> {
    return this.#channel.start();
  }

  /** Waits for the letter that is being buried; the others stay at the broker. Safe twice. */
  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#channel.stop(() => this.#burying);
  }

  async #consume(channel: Channel, alive: { readonly channel: boolean }): Promise<void> {
    const { queue } = this.place;
    await channel.assertQueue(queue, { durable: true });
    await channel.prefetch(1);
    await channel.consume(queue, (message) => {
      if (!message) return void this.#channel.close(channel); // deleted, or its node went: begin anew
      if (this.#stopping.signal.aborted) return; // closing the channel gives it back
      this.#burying = this.#buried(message, alive).then((done) => {
        if (done && alive.channel) channel.ack(message);
      });
    });
  }

  /** False when it was given up: the broker has the letter still. Never rejects. */
  async #buried(message: ConsumeMessage, alive: { readonly channel: boolean }): Promise<boolean> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    const letter = letterOf(message, this.place.topic);
    for (let failures = 0; alive.channel;) {
      try {
        await this.bury(letter);
        return true;
      } catch (thrown) {
        const { group } = this.place;
        logger.warn(
          { group, message: letter.message.id, err: asError(thrown) },
          'a dead letter waits: it was not buried',
        );
        await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#stopping.signal);
        if (this.#stopping.signal.aborted) return false;
      }
    }
    return false;
  }
}
