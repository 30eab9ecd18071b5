import { type Delivery, PARK_RETRY_MS, type PublishResult, type Settlement, type Subscription } from '@tidings/core';
import type { ConsumeMessage } from 'amqplib';
import { backoffMs } from './backoff';
import type { RabbitMqSettings } from './rabbitmq.options';
import { OWN_HEADERS, toAmqp, withoutBrokersHeaders } from './rabbitmq-mapping';
import type { RabbitMqNames } from './rabbitmq-names';
import type { RabbitMqPublisher } from './rabbitmq-publisher';

/** Headers and properties share 64 KiB at amqplib; a stack trace in a reason must not make a dead letter unpublishable. */
const MAX_REASON = 4_000;

export type Again = Extract<Settlement, { kind: 'retry' | 'park' }>;

/** RabbitMQ has no parking: a parked message is retried, uncounted. */
export const againOf = (settlement: Again): { readonly afterMs: number; readonly counted: boolean } =>
  settlement.kind === 'park' ? { afterMs: PARK_RETRY_MS, counted: false } : settlement;

/**
 * Puts what a handler did not accept where it belongs: a copy in front of its group, or among the group's dead letters. Each method resolves with
 * true when the broker has confirmed the copy, and only then may the original be acked; it tries again, with back-off, while `needed()`, and
 * resolves with false when that ends: the original stays the broker's. A crash in between leaves both: at least once.
 */
export class SettlementFiler {
  constructor(
    private readonly publisher: RabbitMqPublisher,
    private readonly names: RabbitMqNames,
    private readonly settings: RabbitMqSettings,
  ) {}

  sendAgain(
    { group }: Subscription,
    { message, attempt, stamp }: Delivery,
    again: Again,
    needed: () => boolean,
  ): Promise<boolean> {
    const { afterMs, counted } = againOf(again);
    const copy = {
      message,
      group,
      delayMs: afterMs,
      attempts: counted ? attempt : attempt - 1,
      ...(stamp && { stamp }),
    };
    return this.#file(message.id, needed, () => this.publisher.publish([copy]));
  }

  bury({ topic, group }: Subscription, delivery: Delivery, reason: string, needed: () => boolean): Promise<boolean> {
    const { message, attempt, stamp } = delivery;
    const { content, options } = toAmqp({ message, attempts: attempt - 1, ...(stamp && { stamp }) });
    return this.#bury(topic, group, message.id, content, options, reason, attempt, needed);
  }

  /** As it came, for a person to look at. */
  buryUnreadable(
    { topic, group }: Subscription,
    { content, properties }: ConsumeMessage,
    error: Error,
    needed: () => boolean,
  ): Promise<boolean> {
    const { clusterId: _, expiration: __, headers, ...rest } = properties;
    const options = { ...rest, headers: withoutBrokersHeaders(headers ?? {}) };
    return this.#bury(
      topic,
      group,
      String(properties.messageId),
      content,
      options,
      `unreadable: ${error.message}`,
      0,
      needed,
    );
  }

  #bury(
    topic: string,
    group: string,
    id: string,
    content: Buffer,
    options: { headers: Record<string, unknown> },
    reason: string,
    attempts: number,
    needed: () => boolean,
  ): Promise<boolean> {
    const headers = {
      ...options.headers,
      [OWN_HEADERS.reason]: reason.slice(0, MAX_REASON),
      [OWN_HEADERS.attempts]: attempts,
    };
    return this.#file(id, needed, () =>
      this.publisher.send([
        {
          kind: 'queue',
          exchange: '',
          routingKey: this.names.dead(topic, group),
          delayMs: 0,
          mandatory: true,
          content,
          options: { ...options, persistent: true, headers },
        },
      ]),
    );
  }

  async #file(id: string, needed: () => boolean, publish: () => Promise<readonly PublishResult[]>): Promise<boolean> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    for (let failures = 0; needed();) {
      const [result] = await publish();
      if (result?.outcome === 'confirmed') return true;
      logger.warn({ message: id, err: result?.error }, 'a settlement waits: its copy was not published');
      await clock.wait(backoffMs(++failures, reconnectMaxMs));
    }
    return false;
  }
}
