import {
  asError,
  CapabilityError,
  failed,
  confirmed,
  laneOf,
  type Message,
  type OutgoingMessage,
  type PublishResult,
  TidingsError,
} from '@tidings/core';
import { MqttAwayError, MqttClosedError, MqttReasonError } from './mqtt.errors';
import type { MqttSettings } from './mqtt.options';
import type { MqttConnection } from './mqtt-connection';
import { REASON } from './mqtt-link';
import { type MqttPublish, toMqtt } from './mqtt-mapping';
import type { MqttNames } from './mqtt-names';

/** Where a message goes and what it looks like there. */
export interface Letter extends MqttPublish {
  readonly name: string;
  readonly retain: boolean;
  /** Somebody must be subscribed. */
  readonly required: boolean;
  /** For errors. */
  readonly subject: string;
}

/** Room for properties and topic in a packet that must not exceed the broker's limit. */
const PACKET_HEAD_BYTES = 8_192;
/** MQTT 5.0, 2.4: those that the same bytes would get again. */
const REFUSALS: ReadonlySet<number> = new Set([0x87, 0x90, 0x99, 0x9a, 0x9b]);
const PACKET_TOO_LARGE = 0x95;

export class MqttPublisher {
  readonly #inFlight = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly connection: MqttConnection,
    private readonly names: MqttNames,
    private readonly settings: MqttSettings,
    private readonly delay: string,
  ) {}

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (this.#closed) throw new MqttClosedError('publish');
    if (messages.some(({ delayMs = 0 }) => delayMs > 0))
      throw new CapabilityError(
        'mqtt',
        `delay (${this.delay})`,
        'publish without delayMs, or by the outbox with deliverAt',
      );
    return this.send(messages.map((outgoing) => this.letterOf(outgoing)));
  }

  /** One result a letter, in order; a letter may be the failure of making it. Never rejects. */
  send(letters: readonly (Letter | PublishResult)[]): Promise<readonly PublishResult[]> {
    // All on the link of this moment, written in this turn: after a loss, what follows must not overtake what was lost.
    const { link } = this.connection;
    const sending = Promise.all(
      letters.map((letter) => ('outcome' in letter ? Promise.resolve(letter) : this.#sent(letter, link))),
    );
    this.#inFlight.add(sending);
    void sending.then(() => this.#inFlight.delete(sending));
    return sending;
  }

  letterOf(outgoing: OutgoingMessage): Letter | PublishResult {
    const { message, group, route = 'required' } = outgoing;
    const { topic, key } = message;
    const { protocol, retained, maxMessageBytes } = this.settings;
    const largest = Math.min(maxMessageBytes, (this.connection.link?.largestPacket ?? Infinity) - PACKET_HEAD_BYTES);
    if (message.payload.byteLength > largest) {
      const problem = `message ${message.id}: expected at most ${largest} bytes, found ${message.payload.byteLength}; raise maxMessageBytes and the broker's message_size_limit, or send a reference`;
      return failed('too-large', new TidingsError('TIDINGS_MQTT_TOO_LARGE', problem));
    }
    try {
      const lane = laneOf(message);
      const retain = group === undefined && retained.includes(topic);
      const name =
        group === undefined
          ? this.names.topic(topic, lane, retain && key !== null ? key : undefined)
          : this.names.group(topic, group, lane);
      const whom = group === undefined ? 'no group' : `not the group ${group}`;
      const subject = `message ${message.id}: ${topic} reaches ${whom}`;
      return { ...toMqtt(outgoing, protocol), name, retain, required: route === 'required', subject };
    } catch (thrown) {
      return failed('refused', asError(thrown)); // a header that MQTT cannot carry
    }
  }

  async reply(to: string, message: Message): Promise<PublishResult> {
    if (this.#closed) throw new MqttClosedError('reply');
    const letter = this.letterOf({ message });
    if ('outcome' in letter) return letter;
    const subject = `reply ${message.id}: address ${to} is gone`;
    const [result] = await this.send([{ ...letter, name: to, retain: false, required: true, subject }]);
    return result!;
  }

  /** Refuses from now on, and waits for what is on its way. */
  async stop(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#inFlight);
  }

  async #sent(
    { name, retain, required, subject, ...packet }: Letter,
    link: MqttConnection['link'],
  ): Promise<PublishResult> {
    if (!link) return failed('transient', new MqttAwayError('not published', this.connection.detail));
    const { clock, confirmTimeoutMs } = this.settings;
    const answered = new AbortController();
    const late = clock.wait(confirmTimeoutMs, answered.signal).then((): number => {
      const problem = `no answer within ${confirmTimeoutMs} ms; the message may have arrived all the same`;
      throw new MqttAwayError('not confirmed', problem);
    });
    late.catch(() => undefined); // when the answer was first
    try {
      const code = await Promise.race([link.publish(name, packet, { retain }), late]);
      if (code !== REASON.nobody || !required) return confirmed;
      return failed('unroutable', new TidingsError('TIDINGS_UNROUTABLE', `${subject}; subscribe first`));
    } catch (thrown) {
      return failedBy(asError(thrown));
    } finally {
      answered.abort();
    }
  }
}

function failedBy(error: Error): PublishResult {
  if (!(error instanceof MqttReasonError)) return failed('transient', error);
  if (error.reasonCode === PACKET_TOO_LARGE) return failed('too-large', error);
  return failed(REFUSALS.has(error.reasonCode) ? 'refused' : 'transient', error);
}
