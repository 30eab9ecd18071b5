import { asError, confirmed, failed, type PublishResult, TidingsError } from '@tidings/core';
import type { ConfirmChannel } from 'amqplib';
import { type AmqpPublish, OWN_HEADERS } from './rabbitmq-mapping';
import { ReturnedMessages } from './unroutable';

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

/** One confirm channel: a publish, its confirm and its return brought together, and the write buffer's back-pressure. */
export class ConfirmingChannel {
  readonly #returns: ReturnedMessages;
  #number = 0;
  #error: Error | undefined;
  #drained: Promise<void> | undefined;

  constructor(private readonly channel: ConfirmChannel) {
    this.#returns = new ReturnedMessages(channel);
    channel.on('error', (error: Error) => (this.#error = error));
  }

  /** Pending while the write buffer is full. */
  get drained(): Promise<void> | undefined {
    return this.#drained;
  }

  /** Writes at once; resolves with the broker's answer, or when the channel ends. Never rejects. */
  publish({ exchange, routingKey, mandatory }: Address, { content, options }: AmqpPublish): Promise<PublishResult> {
    const number = (this.#number += 1);
    return new Promise((resolve) => {
      const answered = (nack: Error | null): void => {
        const returned = mandatory ? this.#returns.take(number) : undefined;
        if (returned) resolve(failed('unroutable', returned));
        // amqplib tells a nack and the channel's end alike: both are transient but for a size that the broker named.
        else resolve(nack ? resultOfLoss(content.length, this.#error ?? nack) : confirmed);
      };
      const headers = mandatory ? { ...options.headers, [OWN_HEADERS.publish]: number } : options.headers;
      try {
        if (!this.channel.publish(exchange, routingKey, content, { ...options, headers, mandatory }, answered))
          this.#full();
      } catch (thrown) {
        // RangeError and TypeError: amqplib cannot encode it (headers past 64 KiB). Anything else: the channel is closed.
        const error = asError(thrown);
        const reason = error instanceof RangeError ? 'too-large' : error instanceof TypeError ? 'refused' : 'transient';
        resolve(failed(reason, error));
      }
    });
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
