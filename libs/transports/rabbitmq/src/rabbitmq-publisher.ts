import {
  asError,
  failed,
  laneOf,
  type OutgoingMessage,
  type Publisher,
  type PublishResult,
  TidingsError,
} from '@tidings/core';
import type { Address } from './confirming-channel';
import { declareTopology } from './declared-topology';
import { MAX_DELAY_MS } from './delay-queues';
import { PublishAnswers } from './publish-answers';
import { PublishingChannels } from './publishing-channels';
import { type Place, PublishingPlaces } from './publishing-places';
import { RabbitMqClosedError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { type AmqpPublish, toAmqp, withoutExpiry } from './rabbitmq-mapping';
import type { RabbitMqNames } from './rabbitmq-names';

/** A message made ready for the wire. */
export interface Letter extends AmqpPublish, Place, Omit<Address, 'exchange'> {
  /** Letters of one lane arrive in the order in which they were written. */
  readonly lane: number;
}

/** Publishes each lane on one confirm channel, so that what is written in order arrives in order. */
export class RabbitMqPublisher implements Publisher {
  readonly #channels: PublishingChannels;
  readonly #places: PublishingPlaces;
  readonly #inFlight = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly connection: RabbitMqConnection,
    private readonly names: RabbitMqNames,
    private readonly settings: RabbitMqSettings,
  ) {
    this.#places = new PublishingPlaces(connection, names, settings);
    this.#channels = new PublishingChannels(connection, settings, {
      prepare: (channel) => declareTopology(channel, names, settings),
      lost: () => this.#places.forget(),
    });
  }

  /** Resolves when it can publish. Call once, when the connection is open. */
  start(): Promise<void> {
    return this.#channels.start();
  }

  /** Refuses `publish` from now on and waits for what is in flight. */
  async stop(): Promise<void> {
    this.#closed = true;
    await this.#channels.stop(async () => {
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

  /** For a channel of somebody else's: the letter of a message, once its exchange stands. Never rejects. */
  async prepared(outgoing: OutgoingMessage): Promise<(Letter & Pick<Address, 'exchange'>) | PublishResult> {
    const letter = this.#letterOf(outgoing);
    if ('outcome' in letter) return letter;
    const exchange = this.#places.known(letter) ?? (await this.#places.declare(letter));
    return typeof exchange === 'string' ? { ...letter, exchange } : exchange;
  }

  /** What was seen to stand at the broker may be gone. */
  forgetPlaces(): void {
    this.#places.forget();
  }

  async #send(letters: readonly (Letter | PublishResult)[]): Promise<readonly PublishResult[]> {
    // The channels of this moment for the whole call: after a loss, what follows must not overtake what was lost.
    const channels = this.#channels.ready;
    if (!channels || this.connection.link?.blocked !== undefined) {
      const error = new TidingsError('TIDINGS_RABBITMQ_AWAY', `rabbitmq: not published, ${this.connection.detail}`);
      return letters.map((letter) => ('outcome' in letter ? letter : failed('transient', error)));
    }
    const answers = new PublishAnswers(letters.length);
    const done = new AbortController();
    void this.#expire(answers, done.signal);
    for (const [index, letter] of letters.entries()) {
      if ('outcome' in letter) {
        answers.set(index, letter);
        continue;
      }
      const exchange =
        this.#places.known(letter) ?? (await Promise.race([this.#places.declare(letter), answers.complete]));
      const channel = channels[letter.lane % channels.length]!;
      while (channel.drained && !answers.isComplete) await Promise.race([channel.drained, answers.complete]);
      if (answers.isComplete) break; // too late for the rest
      if (typeof exchange === 'string') channel.publish({ ...letter, exchange }, letter, answers, index);
      else if ('outcome' in exchange) answers.set(index, exchange);
    }
    const results = await answers.complete;
    done.abort();
    return results;
  }

  async #expire(answers: PublishAnswers, done: AbortSignal): Promise<void> {
    const { clock, confirmTimeoutMs } = this.settings;
    await clock.wait(confirmTimeoutMs, done);
    if (answers.isComplete) return;
    const problem = `rabbitmq: no answer within ${confirmTimeoutMs} ms; the message may have arrived all the same`;
    answers.setRest(failed('transient', new TidingsError('TIDINGS_RABBITMQ_LATE', problem)));
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
      const letter = toAmqp(outgoing, this.settings.attributes);
      const lane = laneOf(message);
      const keyOf = group === undefined ? this.settings.topics[message.topic]?.routingKey : undefined;
      return {
        ...(delayMs > 0 ? withoutExpiry(letter) : letter),
        topic: message.topic,
        kind: group === undefined ? 'topic' : 'group',
        exchange: group === undefined ? this.names.topic(message.topic) : this.names.group(message.topic, group),
        lane,
        routingKey: keyOf ? keyOf(message) : String(lane),
        delayMs,
        mandatory: route === 'required',
      };
    } catch (thrown) {
      return failed('refused', asError(thrown)); // a name or a header that AMQP cannot carry
    }
  }
}
