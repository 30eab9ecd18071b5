import { asError, failed, type PublishResult, TidingsError } from '@tidings/core';
import type { Channel } from 'amqplib';
import { DelayQueues } from './delay-queues';
import { UnroutableError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import type { RabbitMqNames } from './rabbitmq-names';
import { codeOf, declareTopic, REPLY } from './rabbitmq-topology';

/** Where a message goes in, and what must stand there before. */
export interface Place {
  /** A topic's exchange is declared when it is missing; a group's is not: only its subscriber knows the group's shape. */
  readonly kind: 'topic' | 'group' | 'queue';
  readonly topic: string;
  /** Empty for `queue`: the default exchange. */
  readonly exchange: string;
  /** 0: none. */
  readonly delayMs: number;
}

/**
 * Makes sure that an exchange stands before the first publish to it: publishing to one that does not closes the channel, and fails everything in
 * flight. Each declaration has a channel to itself for the same reason. What was seen is remembered until the publishing channel is lost.
 */
export class PublishingPlaces {
  readonly #seen = new Set<string>();
  readonly #delays: DelayQueues;

  constructor(
    private readonly connection: RabbitMqConnection,
    private readonly names: RabbitMqNames,
    private readonly settings: RabbitMqSettings,
  ) {
    this.#delays = new DelayQueues(settings.clock);
  }

  /** The exchange to write to, when it was seen to stand. */
  known({ exchange, delayMs }: Place): string | undefined {
    if (delayMs > 0) return this.#delays.known(exchange, delayMs);
    return exchange === '' || this.#seen.has(exchange) ? exchange : undefined;
  }

  /** Idempotent. Resolves with the exchange, or the failure; never rejects. */
  async declare({ kind, topic, exchange, delayMs }: Place): Promise<string | PublishResult> {
    const link = this.connection.link;
    if (!link) return failed('transient', new TidingsError('TIDINGS_RABBITMQ_AWAY', this.connection.detail));
    let channel: Channel | undefined;
    try {
      channel = await link.model.createChannel();
      channel.on('error', () => undefined); // told by the call that it fails
      if (kind === 'topic') await declareTopic(channel, this.names, topic, this.settings.topics);
      else await channel.checkExchange(exchange);
      if (delayMs > 0) await this.#delays.declare(channel, exchange, delayMs);
      this.#seen.add(exchange);
      return this.known({ kind, topic, exchange, delayMs }) ?? exchange;
    } catch (thrown) {
      const error = asError(thrown);
      const code = codeOf(error);
      if (code === REPLY.notFound && kind === 'group')
        return failed('unroutable', new UnroutableError(exchange, 'there is no such group'));
      return failed(code === REPLY.preconditionFailed || code === REPLY.accessRefused ? 'refused' : 'transient', error);
    } finally {
      void channel?.close().catch(() => undefined);
    }
  }

  /** Whatever stood may be gone: a deleted exchange is what closes a channel, and a broker may come back empty. */
  forget(): void {
    this.#seen.clear();
    this.#delays.forget();
  }
}
