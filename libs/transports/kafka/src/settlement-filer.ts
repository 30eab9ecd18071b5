import { type Again, againOf, type Delivery, PARK_RETRY_MS, type Subscription, untilConfirmed } from '@tidings/core';
import type { FetchedRecord } from './client/kafka-client';
import type { KafkaSettings } from './kafka.options';
import { type KafkaForm, OWN_HEADERS, toKafka } from './kafka-mapping';
import type { KafkaNames } from './kafka-names';
import type { KafkaPublisher, Letter, LetterPlace } from './kafka-publisher';
import type { KafkaTopics } from './kafka-topics';

/** A stack trace in a reason must not make a dead letter too large. */
const MAX_REASON = 4_000;

/**
 * Puts what a handler did not accept where it belongs: a copy on its group's own topic, or among the group's dead letters. Each method resolves with
 * true when the broker has confirmed the copy, and only then may the original be settled; it tries again, with back-off, while `needed()`, and
 * resolves with false when that ends: the original stays uncommitted. A crash in between leaves both: at least once.
 */
export class SettlementFiler {
  constructor(
    private readonly publisher: KafkaPublisher,
    private readonly topics: KafkaTopics,
    private readonly names: KafkaNames,
    private readonly settings: KafkaSettings,
  ) {}

  sendAgain(
    subscription: Subscription,
    { message, attempt, stamp }: Delivery,
    again: Again,
    needed: () => boolean,
  ): Promise<boolean> {
    const { afterMs, made } = againOf(again);
    const form = toKafka({ message, attempts: attempt - 1 + made, ...(stamp && { stamp }) });
    return this.#sendAgain(subscription, message.id, form, afterMs, needed);
  }

  /** In a newer wire version: to the group again after a while, byte for byte and header for header, for a consumer that reads it. */
  sendUnreadAgain(subscription: Subscription, { message }: Delivery, unread: FetchedRecord, needed: () => boolean): Promise<boolean> {
    return this.#sendAgain(subscription, message.id, asItCame(unread), PARK_RETRY_MS, needed);
  } // prettier-ignore

  bury(subscription: Subscription, delivery: Delivery, reason: string, needed: () => boolean): Promise<boolean> {
    const { message, attempt, stamp } = delivery;
    const form = toKafka({ message, attempts: attempt - 1, ...(stamp && { stamp }) });
    return this.#bury(subscription, message.id, form, { reason, attempts: attempt }, needed);
  }

  /** As it came, for a person to look at. */
  buryUnreadable(
    subscription: Subscription,
    unreadable: FetchedRecord,
    error: Error,
    needed: () => boolean,
  ): Promise<boolean> {
    const { topic, partition, offset } = unreadable;
    const place = `${topic}/${partition}/${offset}`;
    const reason = `unreadable: ${error.message} (${place})`;
    return this.#bury(subscription, place, asItCame(unreadable), { reason, attempts: 0 }, needed);
  }

  #sendAgain(
    { topic, group }: Subscription,
    id: string,
    form: KafkaForm,
    afterMs: number,
    needed: () => boolean,
  ): Promise<boolean> {
    const due = String(this.settings.clock.now() + afterMs);
    const headers = afterMs > 0 ? { ...form.headers, [OWN_HEADERS.due]: due } : form.headers;
    const place = { name: this.names.group(topic, group), partitions: () => this.topics.group(topic, group) };
    return this.#file(id, { ...form, headers }, place, needed);
  }

  #bury(
    { topic, group }: Subscription,
    id: string,
    form: KafkaForm,
    { reason, attempts }: { readonly reason: string; readonly attempts: number },
    needed: () => boolean,
  ): Promise<boolean> {
    const headers = {
      ...form.headers,
      [OWN_HEADERS.reason]: reason.slice(0, MAX_REASON),
      [OWN_HEADERS.attempts]: String(attempts),
    };
    const place = { name: this.names.dead(topic, group), partitions: () => this.topics.dead(topic, group) };
    return this.#file(id, { ...form, headers }, place, needed);
  }

  #file(id: string, form: KafkaForm, place: LetterPlace, needed: () => boolean): Promise<boolean> {
    const letter: Letter = { ...form, place };
    return untilConfirmed(this.settings, id, needed, async () => (await this.publisher.send([letter]))[0]);
  }
}

/** Without what an earlier copy was told. */
const asItCame = ({ key, value, headers: { [OWN_HEADERS.due]: _, ...headers } }: FetchedRecord): KafkaForm => ({
  key,
  value: value ?? Buffer.alloc(0),
  headers,
});
