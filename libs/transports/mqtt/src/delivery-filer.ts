import { type Delivery, type PublishResult, type Subscription, untilConfirmed } from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import type { MqttSettings } from './mqtt.options';
import type { MqttNames } from './mqtt-names';
import type { Letter, MqttPublisher } from './mqtt-publisher';

/** On a dead letter: why, and how often it was tried. */
const DEAD = { reason: 'tidings-reason', attempts: 'tidings-attempts' } as const;

/** What a settlement needs beside an acknowledgement: copies, published before the original is acknowledged. */
export class DeliveryFiler {
  constructor(
    private readonly publisher: MqttPublisher,
    private readonly names: MqttNames,
    private readonly settings: MqttSettings,
  ) {}

  /** To the group alone, so that the next consumer counts on. False when it could not be done while `needed`. */
  sendAgain({ group }: Subscription, { message, attempt, stamp }: Delivery, needed: () => boolean): Promise<boolean> {
    const outgoing = { message, group, attempts: attempt - 1, ...(stamp && { stamp }) };
    return this.#file(message.id, this.publisher.letterOf(outgoing), needed);
  }

  /** To the topic of the group's dead letters, where whoever has subscribed gets it; the broker keeps it for nobody else, so it is told here too. */
  bury(
    { topic, group }: Subscription,
    { message, attempt }: Delivery,
    reason: string,
    needed: () => boolean,
  ): Promise<boolean> {
    this.settings.logger.error(
      { topic, group, id: message.id, attempt, reason },
      'rejected: published as a dead letter',
    );
    const headers = { ...message.headers, [DEAD.reason]: reason, [DEAD.attempts]: String(attempt) };
    return this.#file(
      message.id,
      this.#dead(topic, group, this.publisher.letterOf({ message: { ...message, headers } })),
      needed,
    );
  }

  /** What could not be read, as it came. */
  buryUnreadable(
    { topic, group }: Subscription,
    packet: IPublishPacket,
    error: Error,
    needed: () => boolean,
  ): Promise<boolean> {
    this.settings.logger.error({ topic, group, err: error }, 'unreadable: published as a dead letter');
    const { contentType, userProperties } = packet.properties ?? {};
    const properties = {
      ...(contentType !== undefined && { contentType }),
      userProperties: { ...userProperties, [DEAD.reason]: error.message },
    };
    const letter = {
      name: '',
      payload: Buffer.from(packet.payload),
      ...(this.settings.protocol === '5.0' && { properties }),
      retain: false,
      required: false,
      subject: 'an unreadable message',
    };
    return this.#file('unreadable', this.#dead(topic, group, letter), needed);
  }

  #dead(topic: string, group: string, letter: Letter | PublishResult): Letter | PublishResult {
    if ('outcome' in letter) return letter;
    const { messageExpiryInterval: _, ...properties } = letter.properties ?? {};
    return {
      ...letter,
      ...(letter.properties && { properties }),
      name: this.names.dead(topic, group),
      retain: false,
      required: false,
    };
  }

  #file(id: string, letter: Letter | PublishResult, needed: () => boolean): Promise<boolean> {
    return untilConfirmed(this.settings, id, needed, async () => (await this.publisher.send([letter]))[0]);
  }
}
