import {
  asError,
  failed,
  HEADERS,
  type Message,
  type OutgoingMessage,
  type PublishResult,
  type ReplyAddress,
  TidingsError,
} from '@tidings/core';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { ConfirmingChannel } from './confirming-channel';
import { PublishAnswers } from './publish-answers';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { DIRECT_REPLY_TO, fromAmqp } from './rabbitmq-mapping';
import type { RabbitMqPublisher } from './rabbitmq-publisher';
import { SupervisedChannel } from './supervised-channel';

/** For errors and logs: a reply is published to no topic. */
const NO_TOPIC = 'replies';

/**
 * Replies of one process by RabbitMQ's direct reply-to: no queue is declared, stored or left behind. The address is the channel's: requests go out on the
 * channel that consumes the replies, and when that ends, so do the replies to what was asked on it ("Direct Reply-to").
 */
export class RabbitMqReplies implements ReplyAddress {
  readonly #channel: SupervisedChannel<ConfirmChannel>;
  #confirming: ConfirmingChannel | undefined;

  constructor(
    private readonly receive: (reply: Message) => void,
    private readonly publisher: RabbitMqPublisher,
    private readonly connection: RabbitMqConnection,
    private readonly settings: RabbitMqSettings,
  ) {
    this.#channel = new SupervisedChannel<ConfirmChannel>(connection, settings, {
      name: 'replies',
      create: (model) => model.createConfirmChannel(),
      setUp: async (channel) => {
        const confirming = new ConfirmingChannel(channel);
        await channel.consume(DIRECT_REPLY_TO, (reply) => this.#received(channel, reply), { noAck: true });
        this.#confirming = confirming;
      },
      lost: () => {
        this.#confirming = undefined;
        publisher.forgetPlaces();
      },
      hopeless: () => false,
    });
  }

  /** Resolves when replies can arrive. Call once. */
  open(): Promise<void> {
    return this.#channel.start();
  }

  async ask(request: OutgoingMessage): Promise<PublishResult> {
    const letter = await this.publisher.prepared(request);
    if ('outcome' in letter) return letter;
    const confirming = this.#confirming;
    if (!confirming || this.connection.link?.blocked !== undefined) {
      const error = new TidingsError('TIDINGS_RABBITMQ_AWAY', `rabbitmq: not asked, ${this.connection.detail}`);
      return failed('transient', error);
    }
    const answers = new PublishAnswers(1);
    const options = { ...letter.options, replyTo: DIRECT_REPLY_TO };
    confirming.publish(letter, { content: letter.content, options }, answers, 0);
    const [result] = await answers.complete;
    return result!;
  }

  close(): Promise<void> {
    return this.#channel.stop();
  }

  #received(channel: ConfirmChannel, reply: ConsumeMessage | null): void {
    if (!reply) {
      void this.#channel.close(channel); // the broker cancelled: another channel follows
      return;
    }
    try {
      const { message, newer } = fromAmqp(reply, NO_TOPIC);
      if (newer) throw newer;
      const { correlationId } = reply.properties as { correlationId?: string };
      const id = message.headers[HEADERS.requestId] ?? correlationId;
      const headers = { ...message.headers, ...(id !== undefined && { [HEADERS.requestId]: id }) };
      this.receive({ ...message, topic: message.type, headers });
    } catch (thrown) {
      this.settings.logger.warn({ err: asError(thrown) }, 'a reply cannot be read; its requester will time out');
    }
  }
}
