import { type Delivery, PARK_RETRY_MS, type PublishResult, type Subscription, untilConfirmed } from '@tidings/core';
import type { RocketMqSettings } from './rocketmq.options';
import { messageGroupOf, OWN_PROPERTIES, type RocketDelivery, toRocket } from './rocketmq-mapping';
import type { RocketMqNames } from './rocketmq-names';
import { type Letter, MAX_DELAY_MS, type RocketMqPublisher } from './rocketmq-publisher';

/** Properties share 16 KiB; a stack trace in a reason must not make a dead letter unpublishable. */
const MAX_REASON = 1_000;

/**
 * Puts what the broker's own means cannot express where it belongs: a copy for its group, or a dead letter with its reason. Each method resolves with true
 * when the broker has confirmed the copy, and only then may the original be acked; it tries again, with back-off, while `needed()`, and resolves with false
 * when that ends: the original stays the broker's. A crash in between leaves both: at least once.
 */
export class SettlementFiler {
  constructor(
    private readonly publisher: RocketMqPublisher,
    private readonly names: RocketMqNames,
    private readonly settings: RocketMqSettings,
  ) {}

  /** With exactly so many attempts behind it. */
  sendAgain(
    { group }: Subscription,
    { message, stamp }: Delivery,
    again: { readonly afterMs: number; readonly attempts: number },
    needed: () => boolean,
  ): Promise<boolean> {
    const copy = {
      message,
      group,
      attempts: again.attempts,
      delayMs: Math.min(again.afterMs, MAX_DELAY_MS),
      route: 'optional', // this process is the group
      ...(stamp && { stamp }),
    } as const;
    return this.#file(message.id, needed, async () => (await this.publisher.publishAnyway([copy]))[0]!);
  }

  /** In a newer wire version: to the group again after a while, byte for byte and property for property, for a consumer that reads it. */
  async sendUnreadAgain(
    { topic, group }: Subscription,
    { message }: Delivery,
    unread: RocketDelivery,
    needed: () => boolean,
  ): Promise<boolean> {
    const place = this.names.delay(topic);
    const letter: Letter = {
      ...rawOf(unread),
      ...this.publisher.addressed(unread, this.names.group(topic, group)),
      topic: place,
      delay: PARK_RETRY_MS,
    };
    return this.#file(message.id, needed, async () => {
      await this.publisher.places.ensure(place, 'DELAY');
      return this.publisher.send(letter);
    });
  }

  bury(subscription: Subscription, delivery: Delivery, reason: string, needed: () => boolean): Promise<boolean> {
    const { message, attempt, stamp } = delivery;
    const copy = toRocket({ message, attempts: attempt - 1, ...(stamp && { stamp }) });
    return this.#bury(subscription, copy, { id: message.id, reason, attempts: attempt }, needed);
  }

  buryUnreadable(
    subscription: Subscription,
    unread: RocketDelivery,
    error: Error,
    needed: () => boolean,
  ): Promise<boolean> {
    const fields = { id: messageGroupOf({ key: null, id: error.message }), reason: error.message, attempts: 1 };
    return this.#bury(subscription, rawOf(unread), fields, needed);
  }

  #bury(
    { topic, group }: Subscription,
    copy: Omit<Letter, 'topic'>,
    { id, reason, attempts }: { readonly id: string; readonly reason: string; readonly attempts: number },
    needed: () => boolean,
  ): Promise<boolean> {
    const place = this.names.dead(topic, group);
    const properties = new Map(copy.properties)
      .set(OWN_PROPERTIES.reason, encodedReason(reason))
      .set(OWN_PROPERTIES.attempts, String(attempts));
    return this.#file(id, needed, async () => {
      await this.publisher.places.ensure(place, 'NORMAL');
      return this.publisher.send({ ...copy, topic: place, properties });
    });
  }

  #file(id: string, needed: () => boolean, send: () => Promise<PublishResult>): Promise<boolean> {
    return untilConfirmed(this.settings, id, needed, send);
  }
}

/** As it came, without what it had of its own on the way. */
const rawOf = ({ body, properties }: RocketDelivery): Omit<Letter, 'topic'> => ({
  body,
  properties: new Map([...properties].filter(([name]) => !(Object.values(OWN_PROPERTIES) as string[]).includes(name))),
  keys: [],
});

/** Half of a surrogate pair cannot be percent-encoded, and an empty value is not kept. */
const encodedReason = (reason: string): string =>
  encodeURIComponent(Buffer.from(reason.slice(0, MAX_REASON)).toString()) || '%20';
