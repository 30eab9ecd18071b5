import {
  type ActiveSubscription,
  type Capabilities,
  CapabilityError,
  type CapabilityName,
  confirmed,
  failed,
  type GroupDirectory,
  has,
  HEADERS,
  type Message,
  type NativeDeadLetter,
  type NativeDeadLetters,
  type OutgoingMessage,
  type PublishResult,
  type Receive,
  type ReplyAddress,
  type RequestReply,
  type Subscription,
  TidingsError,
  type Transport,
  type TransportHealth,
} from '@tidings/core';
import { MemoryConsumer } from './memory-consumer';
import { type MemoryOptions, type MemorySettings, memorySettings } from './memory.options';

const MEBIBYTE = 1_048_576;

/**
 * The reference transport: the ports' promises in the least code, for tests and for learning. Its capabilities can be switched off one by one.
 * @throws OptionsError
 */
export const memory = (options: MemoryOptions = {}): MemoryTransport => new MemoryTransport(memorySettings(options));

/** New → connected → closed; never back. */
export class MemoryTransport implements Transport, NativeDeadLetters, GroupDirectory, RequestReply {
  readonly kind = 'memory';
  readonly capabilities: Capabilities;
  readonly #consumers = new Set<MemoryConsumer>();
  #state: 'new' | 'connected' | 'closed' = 'new';
  #closing: Promise<void> | undefined;

  constructor(private readonly settings: MemorySettings) {
    this.capabilities = settings.capabilities;
  }

  async connect(): Promise<void> {
    if (this.#closing) throw new TidingsError('TIDINGS_TRANSPORT_CLOSED', 'transport memory is closed; make a new one');
    if (this.#state === 'connected') return;
    this.#state = 'connected';
    this.settings.broker.attach();
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    this.#insistOnConnection();
    if (messages.some(({ delayMs = 0 }) => delayMs > 0)) this.#insistOn('delay', 'publish without delayMs');
    return messages.map((message) => this.#publish(message));
  }

  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    this.#insistOnConnection();
    if (subscription.ordered) this.#insistOn('ordered', 'subscribe with ordered: false');
    if (subscription.broadcast) this.#insistOn('broadcast', 'give each consumer a group of its own');
    if (subscription.from === 'earliest') this.#insistOn('replay', "subscribe with from: 'now'");
    const { broker, clock } = this.settings;
    const queue = broker.declare(subscription);
    const settings = { clock, delay: has(this.capabilities.delay), countDied: has(this.capabilities.attempts) };
    const consumer = new MemoryConsumer(subscription, receive, queue, broker.desk(subscription.group), settings, () => {
      broker.leave(consumer, queue);
      this.#consumers.delete(consumer);
    });
    this.#consumers.add(consumer);
    broker.join(consumer);
    return consumer;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  health(): TransportHealth {
    if (this.#state !== 'connected')
      return { up: false, detail: this.#state === 'new' ? 'not connected yet' : 'closed' };
    const { up } = this.settings.broker;
    return { up, detail: up ? `connected, ${this.#consumers.size} consumers` : 'cut off' };
  }

  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    this.#insistOn('deadLetters', 'use @tidings/dead-letter');
    return this.settings.broker.deadLetters(topic, group, limit);
  }

  async hasGroup(topic: string, group: string): Promise<boolean> {
    return this.settings.broker.groupsOf(topic).includes(group);
  }

  async openReplies(receive: (reply: Message) => void): Promise<ReplyAddress> {
    await this.connect();
    const { broker } = this.settings;
    const address = broker.openAddress(receive);
    return {
      ask: async (request) => {
        this.#insistOnConnection();
        const headers = { ...request.message.headers, [HEADERS.replyTo]: address };
        return this.#publish({ ...request, message: { ...request.message, headers } });
      },
      close: async () => broker.closeAddress(address),
    };
  }

  async reply(to: string, reply: Message): Promise<PublishResult> {
    this.#insistOnConnection();
    const { broker } = this.settings;
    if (!broker.up) return this.#cutOff();
    if (broker.deliverReply(to, reply)) return confirmed;
    return failed('unroutable', new TidingsError('TIDINGS_UNROUTABLE', `reply ${reply.id}: address ${to} is gone`));
  }

  #cutOff(): PublishResult {
    return failed('transient', new TidingsError('TIDINGS_UNAVAILABLE', 'transport memory is cut off; publish again'));
  }

  #publish(outgoing: OutgoingMessage): PublishResult {
    const { broker } = this.settings;
    const { message, group, route = 'required' } = outgoing;
    const size = message.payload.length;
    if (!broker.up) return this.#cutOff();
    if (size >= MEBIBYTE && !has(this.capabilities.largePayload)) {
      return failed(
        'too-large',
        new TidingsError('TIDINGS_TOO_LARGE', `message ${message.id}: ${size} bytes, at most ${MEBIBYTE - 1} pass`),
      );
    }
    if (broker.route(outgoing) > 0 || route === 'optional' || !has(this.capabilities.unroutable)) return confirmed;
    const whom = group === undefined ? 'no group' : `not the group ${group}`;
    return failed(
      'unroutable',
      new TidingsError(
        'TIDINGS_UNROUTABLE',
        `message ${message.id}: ${message.topic} reaches ${whom}; subscribe first`,
      ),
    );
  }

  async #close(): Promise<void> {
    const wasConnected = this.#state === 'connected';
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop(this.settings.drainMs)));
    this.#state = 'closed';
    if (wasConnected) this.settings.broker.detach();
  }

  #insistOnConnection(): void {
    if (this.#state === 'connected' && !this.#closing) return;
    const state = this.#state === 'new' ? 'not connected; await connect() first' : 'closed; make a new one';
    throw new TidingsError('TIDINGS_TRANSPORT_CLOSED', `transport memory is ${state}`);
  }

  #insistOn(name: CapabilityName, way: string): void {
    const capability = this.capabilities[name];
    if (!has(capability)) throw new CapabilityError('memory', `${name} (${capability})`, way);
  }
}
