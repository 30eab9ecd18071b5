import {
  type Again,
  againOf,
  type Delivery,
  laneOf,
  PARK_RETRY_MS,
  type PublishResult,
  type Subscription,
  untilConfirmed,
} from '@tidings/core';
import type { ConsumeMessage } from 'amqplib';
import type { RabbitMqSettings } from './rabbitmq.options';
import { type AmqpPublish, asItCame, OWN_HEADERS, toAmqp, withoutExpiry } from './rabbitmq-mapping';
import type { RabbitMqNames } from './rabbitmq-names';
import type { Letter, RabbitMqPublisher } from './rabbitmq-publisher';

/** Headers and properties share 64 KiB at amqplib; a stack trace in a reason must not make a dead letter unpublishable. */
const MAX_REASON = 4_000;

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
    const { afterMs, made } = againOf(again);
    const copy = {
      message,
      group,
      delayMs: afterMs,
      attempts: attempt - 1 + made,
      ...(stamp && { stamp }),
    };
    return this.#file(message.id, needed, () => this.publisher.publish([copy]));
  }

  /** In a newer wire version: to the group again after a while, byte for byte and header for header, for a consumer that reads it. */
  sendUnreadAgain(
    { topic, group }: Subscription,
    { message }: Delivery,
    unread: ConsumeMessage,
    needed: () => boolean,
  ): Promise<boolean> {
    const letter: Letter = {
      ...asItCame(unread),
      kind: 'group',
      lane: laneOf(message),
      topic,
      exchange: this.names.group(topic, group),
      routingKey: String(laneOf(message)),
      delayMs: PARK_RETRY_MS,
      mandatory: true,
    };
    return this.#file(message.id, needed, () => this.publisher.send([letter]));
  }

  bury(subscription: Subscription, delivery: Delivery, reason: string, needed: () => boolean): Promise<boolean> {
    const { message, attempt, stamp } = delivery;
    const copy = toAmqp({ message, attempts: attempt - 1, ...(stamp && { stamp }) }, this.settings.attributes);
    return this.#bury(subscription, withoutExpiry(copy), { reason, attempts: attempt }, needed);
  }

  /** As it came, for a person to look at. */
  buryUnreadable(
    subscription: Subscription,
    unreadable: ConsumeMessage,
    error: Error,
    needed: () => boolean,
  ): Promise<boolean> {
    return this.#bury(
      subscription,
      asItCame(unreadable),
      { reason: `unreadable: ${error.message}`, attempts: 0 },
      needed,
    );
  }

  #bury(
    { topic, group }: Subscription,
    { content, options }: AmqpPublish,
    { reason, attempts }: { readonly reason: string; readonly attempts: number },
    needed: () => boolean,
  ): Promise<boolean> {
    const headers = {
      ...options.headers,
      [OWN_HEADERS.reason]: reason.slice(0, MAX_REASON),
      [OWN_HEADERS.attempts]: attempts,
    };
    const letter: Letter = {
      kind: 'queue',
      lane: 0,
      topic,
      exchange: '',
      routingKey: this.names.dead(topic, group),
      delayMs: 0,
      mandatory: true,
      content,
      options: { ...options, headers },
    };
    return this.#file(options.messageId ?? 'without id', needed, () => this.publisher.send([letter]));
  }

  #file(id: string, needed: () => boolean, publish: () => Promise<readonly PublishResult[]>): Promise<boolean> {
    return untilConfirmed(this.settings, id, needed, async () => (await publish())[0]);
  }
}
