import { randomUUID } from 'node:crypto';
import {
  type ActiveSubscription,
  type Capabilities,
  CapabilityError,
  type GroupDirectory,
  has,
  type Message,
  type OutgoingMessage,
  type PublishResult,
  type Receive,
  type ReplyAddress,
  type RequestReply,
  type Subscription,
  type TopologyRemoval,
  type Transport,
  type TransportHealth,
} from '@tidings/core';
import { DeliveryFiler } from './delivery-filer';
import { GroupPresence } from './group-presence';
import { GroupShapes } from './group-shapes';
import { mqttCapabilities } from './mqtt-capabilities';
import { MqttClosedError } from './mqtt.errors';
import { type MqttOptions, mqttSettings, type MqttSettings } from './mqtt.options';
import { MqttConnection } from './mqtt-connection';
import { MqttNames } from './mqtt-names';
import { MqttPublisher } from './mqtt-publisher';
import { MqttReplies } from './mqtt-replies';
import type { PresenceEvent } from './presence-events';
import { MqttSubscription } from './mqtt-subscriber';

/** MQTT 5.0 and 3.1.1, by MQTT.js. */
export class MqttTransport implements Transport, GroupDirectory, RequestReply, TopologyRemoval {
  readonly kind = 'mqtt';
  readonly capabilities: Capabilities;
  readonly #settings: MqttSettings;
  readonly #names: MqttNames;
  readonly #connection: MqttConnection;
  readonly #presence: GroupPresence;
  readonly #shapes: GroupShapes;
  readonly #publisher: MqttPublisher;
  readonly #filer: DeliveryFiler;
  readonly #subscriptions = new Set<MqttSubscription>();
  readonly #replies = new Set<MqttReplies>();
  readonly #instance = randomUUID();
  #addresses = 0;
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Connects nothing yet. @throws OptionsError */
  constructor(options: MqttOptions) {
    const settings = (this.#settings = mqttSettings(options));
    const names = (this.#names = new MqttNames(settings.prefix));
    this.capabilities = mqttCapabilities(settings);
    const plan = { clientId: names.instance(this.#instance, 'main'), clearsAtDeath: names.presence(this.#instance) };
    this.#connection = new MqttConnection(plan, settings);
    this.#presence = new GroupPresence(this.#instance, this.#connection, names, settings);
    this.#shapes = new GroupShapes(this.#presence, this.#connection, names, settings);
    this.#publisher = new MqttPublisher(this.#connection, names, settings, String(this.capabilities.delay));
    this.#filer = new DeliveryFiler(this.#publisher, names, settings);
  }

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new MqttClosedError('connect'));
    this.#connecting ??= this.#connection.open().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#publisher.publish(messages);
  }

  /** Connects first, if nobody has. */
  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    const { topic, group, broadcast } = subscription;
    if (subscription.from === 'earliest' && !has(this.capabilities.replay))
      throw new CapabilityError(
        this.kind,
        `replay (${this.capabilities.replay})`,
        `subscribe group ${group} on ${topic} from 'now'`,
      );
    await this.connect();
    if (!broadcast) await this.#shapes.insist(subscription);
    const active: MqttSubscription = new MqttSubscription(
      subscription,
      receive,
      this.#presence,
      this.#filer,
      this.#names,
      this.#settings,
      () => this.#subscriptions.delete(active),
    );
    this.#subscriptions.add(active);
    await active.start();
    return active;
  }

  async openReplies(receive: (reply: Message) => void): Promise<ReplyAddress> {
    await this.connect();
    const address = this.#names.reply(this.#instance, ++this.#addresses);
    const replies = new MqttReplies(address, receive, this.#publisher, this.#connection, this.#settings);
    this.#replies.add(replies);
    await replies.open();
    return replies;
  }

  /** To a requester of any kind: any response topic does. With MQTT 3.1.1 nobody tells that it is gone. */
  reply(to: string, reply: Message): Promise<PublishResult> {
    return this.#publisher.reply(to, reply);
  }

  /** By what is retained of it. */
  async hasGroup(topic: string, group: string): Promise<boolean> {
    return (await this.#shapes.find(topic, group)) !== undefined;
  }

  /**
   * Tells of consumers of all groups of this prefix at other processes: first of those that are there, then of who joins, leaves, and dies. A death is
   * told by the dead process's last will, as soon as the broker misses it. After a reconnect those that are there may be told once more. Resolves with
   * what ends it; the watcher must not throw. Connects first, if nobody has.
   *
   * @throws MqttAwayError
   */
  async watchPresence(watcher: (event: PresenceEvent) => void): Promise<() => void> {
    await this.connect();
    return this.#presence.watch(watcher);
  }

  /** The sessions of the groups' seats with all that waits in them, and what is retained of their shape. Retained messages of a topic stay. */
  async removeTopic(topic: string, groups: readonly string[]): Promise<void> {
    await this.connect();
    for (const group of groups) await this.#shapes.remove(topic, group);
  }

  health(): TransportHealth {
    return { up: this.#connection.link !== undefined, detail: this.#connection.detail };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    // In this order: a settlement may still have to publish its copy.
    await Promise.all([...this.#subscriptions].map((active) => active.stop(this.#settings.drainMs)));
    await Promise.all([...this.#replies].map((replies) => replies.close()));
    await this.#publisher.stop();
    await this.#presence.stop();
    await this.#connection.close();
  }
}

/** @throws OptionsError */
export const mqtt = (options: MqttOptions): MqttTransport => new MqttTransport(options);
