import { TidingsError } from '@tidings/core';
import type { Channel, Message } from 'amqplib';
import { OWN_HEADERS } from './rabbitmq-mapping';

/** The broker took the message and no queue did. */
export class UnroutableError extends TidingsError {
  constructor(exchange: string, text: string) {
    super(
      'TIDINGS_RABBITMQ_UNROUTABLE',
      `rabbitmq: no queue is bound to exchange ${exchange} (${text}); start a subscription first, or publish with route: 'optional'`,
    );
  }
}

/**
 * Remembers what a channel gave back. An unroutable message is returned *and* acked, the return first ("Consumer Acknowledgements and Publisher
 * Confirms"), so that the confirm finds it here. Each publish has a number in a header of its own: the message's id will not do, for copies of one
 * message may be under way at once.
 */
export class ReturnedMessages {
  readonly #returned = new Map<number, Error>();

  constructor(channel: Channel) {
    channel.on('return', ({ fields, properties }: Message) => {
      const number: unknown = properties.headers?.[OWN_HEADERS.publish];
      const { replyText = 'NO_ROUTE' } = fields as { replyText?: string };
      if (typeof number === 'number') this.#returned.set(number, new UnroutableError(fields.exchange, replyText));
    });
  }

  /** Why this publish came back, if it did. Forgets it. */
  take(number: number): Error | undefined {
    const error = this.#returned.get(number);
    if (error) this.#returned.delete(number);
    return error;
  }
}
