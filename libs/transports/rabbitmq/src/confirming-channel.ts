import { asError, confirmed, failed, type PublishResult, TidingsError } from '@tidings/core';
import type { ConfirmChannel, Message } from 'amqplib';
import type { PublishAnswers } from './publish-answers';
import { type AmqpPublish, identityOf } from './rabbitmq-mapping';
import { UnroutableError } from './rabbitmq.errors';

/** Where on the broker a message goes. */
export interface Address {
  readonly exchange: string;
  readonly routingKey: string;
  /** False: to reach no queue is fine. */
  readonly mandatory: boolean;
}

/** The broker's limit is below ours: the channel's error names it. Without this, a relay would send the same message for ever. */
const brokersLimit = (error: Error | undefined): number => {
  const [, bytes] = /larger than configured max size (\d+)/.exec(error?.message ?? '') ?? [];
  return bytes === undefined ? Number.POSITIVE_INFINITY : Number(bytes);
};

/** What becomes of a publish that was in flight when its channel ended with `error`. */
export const resultOfLoss = (bytes: number, error: Error | undefined): PublishResult =>
  failed(
    bytes > brokersLimit(error) ? 'too-large' : 'transient',
    error ?? new TidingsError('TIDINGS_RABBITMQ_LOST', 'rabbitmq: the connection was lost before the broker confirmed'),
  );

/** A publish that the broker has not answered, and where its answer belongs. */
interface Unanswered {
  readonly address: Address;
  readonly letter: AmqpPublish;
  readonly answers: PublishAnswers;
  readonly index: number;
  returned: Error | undefined;
}

/**
 * One confirm channel: a publish, its confirm and its return brought together, and the write buffer's back-pressure.
 *
 * The broker counts publishes from 1 and answers by number, one or all up to one ("Consumer Acknowledgements and Publisher Confirms"). Keeping the
 * count here, in place of a callback and a promise for each publish, halves what a publish costs this process.
 */
export class ConfirmingChannel {
  /** By delivery tag, in their order. */
  readonly #unanswered = new Map<number, Unanswered>();
  #tag = 0;
  #error: Error | undefined;
  #drained: Promise<void> | undefined;

  constructor(private readonly channel: ConfirmChannel) {
    channel.on('error', (error: Error) => (this.#error = error));
    channel.on('return', (returned: Message) => this.#returned(returned));
    channel.on('ack', ({ deliveryTag, multiple }) =>
      this.#answered(deliveryTag, multiple, ({ returned }) => (returned ? failed('unroutable', returned) : confirmed)),
    );
    channel.on('nack', ({ deliveryTag, multiple }) => {
      const problem = 'rabbitmq: the broker refused it for now (basic.nack): a queue is full and rejects, or is away';
      const refused = failed('transient', new TidingsError('TIDINGS_RABBITMQ_NACK', problem));
      this.#answered(deliveryTag, multiple, () => refused);
    });
    channel.on('close', () => {
      const lost = this.#error;
      this.#answered(this.#tag, true, ({ letter }) => resultOfLoss(letter.content.length, lost));
    });
  }

  /** Pending while the write buffer is full. */
  get drained(): Promise<void> | undefined {
    return this.#drained;
  }

  /** Writes at once; the broker's answer, or the channel's end, goes to its place in `answers`. Never throws. */
  publish(address: Address, letter: AmqpPublish, answers: PublishAnswers, index: number): void {
    const { exchange, routingKey, mandatory } = address;
    try {
      const { content, options } = letter;
      // A message that is refused here was not written and has no number.
      if (!this.channel.publish(exchange, routingKey, content, mandatory ? { ...options, mandatory } : options))
        this.#full();
      this.#tag += 1;
      this.#unanswered.set(this.#tag, { address, letter, answers, index, returned: undefined });
    } catch (thrown) {
      // RangeError and TypeError: amqplib cannot encode it (headers past 64 KiB). Anything else: the channel is closed.
      const error = asError(thrown);
      const reason = error instanceof RangeError ? 'too-large' : error instanceof TypeError ? 'refused' : 'transient';
      answers.set(index, failed(reason, error));
    }
  }

  #answered(tag: number, multiple: boolean, resultOf: (one: Unanswered) => PublishResult): void {
    const settle = (number: number, one: Unanswered): void => {
      this.#unanswered.delete(number);
      one.answers.set(one.index, resultOf(one));
    };
    if (!multiple) {
      const one = this.#unanswered.get(tag);
      if (one) settle(tag, one);
      return;
    }
    for (const [number, one] of this.#unanswered) {
      if (number > tag) return;
      settle(number, one);
    }
  }

  /**
   * An unroutable message is returned *and* acked, the return first. It carries no number, so that it is known by its address and identity. Of
   * several copies under way to one address all count as returned: one that was routed after all is sent twice then, and none is lost.
   */
  #returned({ fields, properties }: Message): void {
    const { replyText = 'NO_ROUTE' } = fields as { replyText?: string };
    const identity = identityOf(properties);
    for (const one of this.#unanswered.values()) {
      const { address, letter } = one;
      if (!address.mandatory || address.exchange !== fields.exchange || address.routingKey !== fields.routingKey)
        continue;
      if (identityOf(letter.options) === identity) one.returned ??= new UnroutableError(fields.exchange, replyText);
    }
  }

  #full(): void {
    this.#drained ??= new Promise((resolve) => {
      const done = (): void => {
        this.channel.off('drain', done).off('close', done);
        this.#drained = undefined;
        resolve();
      };
      this.channel.on('drain', done).on('close', done);
    });
  }
}
