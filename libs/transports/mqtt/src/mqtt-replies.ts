import {
  asError,
  HEADERS,
  type Message,
  type OutgoingMessage,
  type PublishResult,
  type ReplyAddress,
} from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import { MqttClosedError } from './mqtt.errors';
import type { MqttSettings } from './mqtt.options';
import type { MqttConnection } from './mqtt-connection';
import { fromMqtt } from './mqtt-mapping';
import type { MqttPublisher } from './mqtt-publisher';

/** For errors and logs: a reply is published to no topic of ours. */
const NO_TOPIC = 'replies';

/** Replies of one process: a response topic of its own (MQTT 5.0, 4.10), on the connection that publishes. Nothing is kept for it while that is away. */
export class MqttReplies implements ReplyAddress {
  #forgetLinks: (() => void) | undefined;
  #forgetPackets: (() => void) | undefined;
  #closed = false;

  constructor(
    private readonly address: string,
    private readonly receive: (reply: Message) => void,
    private readonly publisher: MqttPublisher,
    private readonly connection: MqttConnection,
    private readonly settings: MqttSettings,
  ) {}

  /** Resolves when replies can arrive. Call once. */
  async open(): Promise<void> {
    this.#forgetPackets = this.connection.watch((packet) => this.#received(packet));
    this.#forgetLinks = await this.connection.onEachLink((link) => link.subscribe([this.address], 1));
  }

  async ask(request: OutgoingMessage): Promise<PublishResult> {
    if (this.#closed) throw new MqttClosedError('ask');
    const headers = { ...request.message.headers, [HEADERS.replyTo]: this.address };
    const [result] = await this.publisher.publish([{ ...request, message: { ...request.message, headers } }]);
    return result!;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetPackets?.();
    this.#forgetLinks?.();
    try {
      await this.connection.link?.unsubscribe([this.address]);
    } catch (thrown) {
      this.settings.logger.debug({ err: asError(thrown) }, 'an address ended with its connection');
    }
  }

  #received(packet: IPublishPacket): void {
    if (packet.topic !== this.address) return;
    try {
      const { message, newer } = fromMqtt(packet, NO_TOPIC);
      if (newer) throw newer;
      this.receive(message);
    } catch (thrown) {
      const error = asError(thrown);
      this.settings.logger.error(
        { err: error },
        'a reply could not be read: whoever waits for it waits until its time is over',
      );
    }
  }
}
