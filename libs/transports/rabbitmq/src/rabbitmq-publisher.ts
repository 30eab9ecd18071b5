import {
  asError,
  failed,
  laneOf,
  type OutgoingMessage,
  type Publisher,
  type PublishResult,
  TidingsError,
} from '@tidings/core';
import type { ConfirmChannel } from 'amqplib';
import { type Address, ConfirmingChannel } from './confirming-channel';
import { MAX_DELAY_MS } from './delay-queues';
import { type Place, PublishingPlaces } from './publishing-places';
import { RabbitMqClosedError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { type AmqpPublish, toAmqp } from './rabbitmq-mapping';
import type { RabbitMqNames } from './rabbitmq-names';
import { SupervisedChannel } from './supervised-channel';

/** A message made ready for the wire. */
export interface Letter extends AmqpPublish, Place, Omit<Address, 'exchange'> {}

/** Frames, each a small message or an eighth of a MiB: what may wait in this process's memory for the socket. */
const WRITE_BUFFER_FRAMES = 256;

/** Publishes on one confirm channel, so that what is written in order arrives in order. */
export class RabbitMqPublisher implements Publisher {
  readonly #channel: SupervisedChannel<ConfirmChannel>;
  readonly #places: PublishingPlaces;
  readonly #inFlight = new Set<Promise<unknown>>();
  #confirming: ConfirmingChannel | undefined;
  #closed = false;

  constructor(
    private readonly connection: RabbitMqConnection,
    private readonly names: RabbitMqNames,
    private readonly settings: RabbitMqSettings,
  ) {
    this.#places = new PublishingPlaces(connection, settings);
    this.#channel = new SupervisedChannel<ConfirmChannel>(connection, settings, {
      name: 'publish',
      create: (model) => model.createConfirmChannel({ highWaterMark: WRITE_BUFFER_FRAMES }),
      setUp: (channel) => {
        this.#confirming = new ConfirmingChannel(channel);
        return Promise.resolve();
      },
      lost: () => {
        this.#confirming = undefined;
        this.#places.forget();
      },
      hopeless: () => false,
    });
  }

  /** Resolves when it can publish. Call once, when the connection is open. */
  start(): Promise<void> {
    return this.#channel.start();
  }

  /** Refuses `publish` from now on and waits for what is in flight. */
  async stop(): Promise<void> {
    this.#closed = true;
    await this.#channel.stop(async () => {
      while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    });
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (this.#closed) throw new RabbitMqClosedError('publish');
    return this.send(messages.map((outgoing) => this.#letterOf(outgoing)));
  }

  /** One result a letter, in order; a letter may be the failure of making it. Never rejects, and works on until the channel is stopped. */
  send(letters: readonly (Letter | PublishResult)[]): Promise<readonly PublishResult[]> {
    const sending = this.#send(letters);
    this.#inFlight.add(sending);
    void sending.then(() => this.#inFlight.delete(sending));
    return sending;
  }

  async #send(letters: readonly (Letter | PublishResult)[]): Promise<readonly PublishResult[]> {
    // One channel for the whole call: after a loss, what follows must not overtake what was lost.
    const channel = this.#confirming;
    if (!channel || this.connection.link?.blocked !== undefined) {
      const error = new TidingsError('TIDINGS_RABBITMQ_AWAY', `rabbitmq: not published, ${this.connection.detail}`);
      return letters.map((letter) => ('outcome' in letter ? letter : failed('transient', error)));
    }
    const { clock, confirmTimeoutMs } = this.settings;
    const done = new AbortController();
    let over = false;
    const late = clock.wait(confirmTimeoutMs, done.signal).then((): PublishResult => {
      over = true;
      const problem = `rabbitmq: no answer within ${confirmTimeoutMs} ms; the message may have arrived all the same`;
      return failed('transient', new TidingsError('TIDINGS_RABBITMQ_LATE', problem));
    });
    const answers: (PublishResult | Promise<PublishResult>)[] = [];
    for (const letter of letters) {
      if ('outcome' in letter) {
        answers.push(letter);
        continue;
      }
      const exchange =
        this.#places.known(letter) ?? (over ? await late : await Promise.race([this.#places.declare(letter), late]));
      while (channel.drained && !over) await Promise.race([channel.drained, late]);
      if (typeof exchange !== 'string') answers.push(exchange);
      else answers.push(over ? late : channel.publish({ ...letter, exchange }, letter));
    }
    const results = await Promise.all(answers.map((answer) => Promise.race([answer, late])));
    done.abort();
    return results;
  }

  #letterOf(outgoing: OutgoingMessage): Letter | PublishResult {
    const { message, group, delayMs = 0, route = 'required' } = outgoing;
    const { maxMessageBytes } = this.settings;
    try {
      if (message.payload.byteLength > maxMessageBytes) {
        const problem = `message ${message.id}: expected at most ${maxMessageBytes} bytes, found ${message.payload.byteLength}; raise maxMessageBytes and the broker's max_message_size, or send a reference`;
        return failed('too-large', new TidingsError('TIDINGS_RABBITMQ_TOO_LARGE', problem));
      }
      if (delayMs > MAX_DELAY_MS) {
        const problem = `message ${message.id}: expected a delay of at most ${MAX_DELAY_MS} ms, found ${delayMs}; publish it later`;
        return failed('refused', new TidingsError('TIDINGS_RABBITMQ_DELAY', problem));
      }
      return {
        ...toAmqp(outgoing),
        kind: group === undefined ? 'topic' : 'group',
        exchange: group === undefined ? this.names.topic(message.topic) : this.names.group(message.topic, group),
        routingKey: String(laneOf(message)),
        delayMs,
        mandatory: route === 'required',
      };
    } catch (thrown) {
      return failed('refused', asError(thrown)); // a name or a header that AMQP cannot carry
    }
  }
}
