import {
  accept,
  type ActiveSubscription,
  asError,
  attemptsIn,
  attributesOf,
  type Capabilities,
  CapabilityError,
  confirmed,
  type Delivery,
  DeliveryLanes,
  failed,
  LanedSubscription,
  messageOf,
  type OutgoingMessage,
  PARK_RETRY_MS,
  type PublishResult,
  type Receive,
  reject,
  release,
  type Settlement,
  type Subscription,
  systemClock,
  TidingsError,
  type Transport,
  type TransportHealth,
} from '@tidings/core';
import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  type JetStreamClient,
  jetstreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { connect, headers as natsHeaders, type NatsConnection } from '@nats-io/transport-node';

/** The header that has all attributes and headers of a message, as JSON in the characters that NATS headers take. */
const HEADER = 'Tidings';

/** The documents are NATS's, by title. */
export const NATS_CAPABILITIES: Capabilities = Object.freeze({
  durable: true,
  ordered:
    'this example spreads a group over its consumers one by one ("Consumers"); a consumer for each lane would keep a key in order',
  broadcast: true,
  delay: 'JetStream 2.9 has no publish with a delay ("JetStream Publish")',
  unroutable: 'a stream takes whatever is published to its subjects, and knows nothing of consumers ("Streams")',
  attempts: 'JetStream counts deliveries, those that a stop handed back among them ("Message Acknowledgements")',
  replay: true,
  deadLetters:
    'a message that is terminated is told of in an advisory, and kept by nobody ("Message Acknowledgements")',
  largePayload: 'max_payload is 1 MiB by default, headers included ("Server Configuration")',
  processes: true,
});

export interface NatsJetStreamOptions {
  readonly servers: string;
  /** The stream, and the first token of its subjects. */
  readonly stream: string;
  /** How long a delivery may be silent before the broker gives it to somebody else. Default 30,000. */
  readonly ackWaitMs?: number;
}

interface Connected {
  readonly connection: NatsConnection;
  readonly stream: JetStreamClient;
}

/** A token of a subject, of any text. */
const token = (text: string): string =>
  encodeURIComponent(text).replace(/[.*>]/g, (c) => `%${c.charCodeAt(0).toString(16)}`) || '%';

/** Somebody's own transport, as small as the conformance suite lets it be: one stream, a durable consumer for each group. */
export class NatsJetStreamTransport implements Transport {
  readonly kind = 'nats';
  readonly capabilities = NATS_CAPABILITIES;
  readonly #consumers = new Set<NatsConsumer>();
  #connecting: Promise<Connected> | undefined;
  #connected: Connected | undefined;
  #closing: Promise<void> | undefined;
  #up = false;

  constructor(private readonly options: NatsJetStreamOptions) {}

  async connect(): Promise<void> {
    this.#insistOnOpen();
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    await this.#connecting;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    this.#insistOnOpen();
    if (messages.some(({ delayMs = 0 }) => delayMs > 0))
      throw new CapabilityError('nats', 'delay', 'publish without delayMs');
    return Promise.all(messages.map((message) => this.#publish(message)));
  }

  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    if (subscription.ordered) throw new CapabilityError('nats', 'ordered', 'subscribe with ordered: false');
    await this.connect();
    const settings = { ackWaitMs: 30_000, ...this.options, publish: (m: OutgoingMessage) => this.#publish(m) };
    const consumer = new NatsConsumer(subscription, receive, this.#connected!, settings, () => this.#up);
    await consumer.start();
    this.#consumers.add(consumer);
    return consumer;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  health(): TransportHealth {
    return { up: this.#up && !this.#closing, detail: this.#up ? 'connected' : 'not connected' };
  }

  async #connect(): Promise<Connected> {
    const { servers, stream: name } = this.options;
    const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    void this.#follow(connection);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name, subjects: [`${name}.>`] }); // the same again is no error
    this.#up = true;
    return (this.#connected = { connection, stream: jetstream(connection) });
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') this.#up = false;
      if (type === 'reconnect') this.#up = true;
    }
  }

  async #publish(outgoing: OutgoingMessage): Promise<PublishResult> {
    const { message, group } = outgoing;
    const connected = this.#connected;
    if (!connected || !this.#up) return failed('transient', new TidingsError('NATS_AWAY', 'nats: not connected'));
    const headers = natsHeaders();
    headers.set(HEADER, encodeURIComponent(JSON.stringify([attributesOf(outgoing), message.headers])));
    const place = group === undefined ? 'all' : `group.${token(group)}`;
    try {
      // The stream's answer: stored.
      await connected.stream.publish(`${this.options.stream}.${token(message.topic)}.${place}`, message.payload, {
        headers,
      });
      return confirmed;
    } catch (thrown) {
      const error = asError(thrown);
      return failed(error.message.includes('max_payload') ? 'too-large' : 'transient', error);
    }
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop(10_000)));
    const connected = await this.#connecting?.catch(() => undefined);
    await connected?.connection.close();
    this.#up = false;
  }

  #insistOnOpen(): void {
    if (this.#closing) throw new TidingsError('NATS_CLOSED', 'nats: the transport is closed; make a new one');
  }
}

interface ConsumerSettings extends NatsJetStreamOptions {
  readonly ackWaitMs: number;
  readonly publish: (message: OutgoingMessage) => Promise<PublishResult>;
}

/** Takes messages one by one, hands them to core's lanes, and acknowledges what they answer. */
class NatsConsumer extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  readonly #settling = new Set<Promise<void>>();
  /** Messages that a handler has had here. */
  readonly #begun = new WeakSet<object>();
  #wake: () => void = () => undefined;
  #messages: { close(): Promise<void | Error> } | undefined;

  constructor(
    subscription: Subscription,
    receive: Receive,
    private readonly connected: Connected,
    private readonly settings: ConsumerSettings,
    private readonly up: () => boolean,
  ) {
    super(subscription);
    const begin: Receive = (delivery, signal) => {
      this.#begun.add(delivery.message);
      return receive(delivery, signal);
    };
    this.lanes = new DeliveryLanes(subscription, begin, systemClock);
  }

  async start(): Promise<void> {
    const { topic, group, broadcast, from, concurrency } = this.subscription;
    const { stream, ackWaitMs } = this.settings;
    const manager = await jetstreamManager(this.connected.connection);
    const durable = Buffer.from(JSON.stringify([topic, group])).toString('base64url');
    const { name } = await manager.consumers.info(stream, durable).then(
      (found) => (broadcast ? Promise.reject(new Error('a broadcast has a consumer of its own')) : found),
      () =>
        manager.consumers.add(stream, {
          ...(broadcast ? { inactive_threshold: 60_000_000_000 } : { durable_name: durable }),
          filter_subject: `${stream}.${token(topic)}.>`,
          ack_policy: AckPolicy.Explicit,
          ack_wait: ackWaitMs * 1_000_000,
          deliver_policy: from === 'earliest' ? DeliverPolicy.All : DeliverPolicy.New,
        }),
    );
    const consumer = await this.connected.stream.consumers.get(stream, name);
    const messages = await consumer.consume({ max_messages: 2 * concurrency });
    this.#messages = messages;
    void (async () => {
      for await (const message of messages) {
        this.#take(message);
        // What waits here keeps idle consumers from it: no more than runs at once.
        while (this.lanes.inFlight >= this.lanes.concurrency && !this.stopSignal.aborted) await this.#changed();
      }
    })();
  }

  healthy(): boolean {
    return this.up() && !this.stopSignal.aborted;
  }

  override setConcurrency(concurrency: number): void {
    super.setConcurrency(concurrency);
    this.#wake();
  }

  protected async end(drainMs: number): Promise<void> {
    this.#wake();
    await this.#messages?.close();
    await this.lanes.stop(drainMs);
    await Promise.all(this.#settling);
    if (this.up()) await this.connected.connection.flush(); // what was acknowledged has arrived
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #take(message: JsMsg): void {
    const { topic, group } = this.subscription;
    const subject = `${this.settings.stream}.${token(topic)}.`;
    if (![`${subject}all`, `${subject}group.${token(group)}`].includes(message.subject)) return message.ack(); // another group's retry
    const settling = this.#settle(message);
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
  }

  async #settle(message: JsMsg): Promise<void> {
    const done = new AbortController();
    void this.#keep(message, done.signal);
    const settlement = await this.#handled(message);
    done.abort();
    if (settlement.kind === 'accept') message.ack();
    else if (settlement.kind === 'reject') message.term(settlement.reason);
    else message.nak();
  }

  /** Says that the message is being worked on, so that the broker gives it to nobody else. */
  async #keep(message: JsMsg, done: AbortSignal): Promise<void> {
    for (;;) {
      await systemClock.wait(this.settings.ackWaitMs / 3, done);
      if (done.aborted) return;
      message.working();
    }
  }

  async #handled(message: JsMsg): Promise<Settlement> {
    let delivery: Delivery;
    try {
      const [attributes, headers] = JSON.parse(decodeURIComponent(message.headers?.get(HEADER) ?? '')) as [
        never,
        never,
      ];
      const {
        message: read,
        attempts,
        newer,
        ...stamp
      } = messageOf(attributes, message.data, this.subscription.topic, headers);
      if (newer) return release;
      delivery = {
        message: read,
        attempt: attempts + 1,
        redelivered: message.redelivered || message.subject.includes('.group.'),
        ...stamp,
      };
    } catch (thrown) {
      return reject('unreadable', asError(thrown));
    }
    for (;;) {
      const settlement = await this.lanes.run(delivery);
      this.#wake();
      if (settlement.kind === 'retry' || settlement.kind === 'park') {
        const { afterMs, made } =
          settlement.kind === 'retry'
            ? { afterMs: settlement.afterMs, made: attemptsIn(settlement) }
            : { afterMs: PARK_RETRY_MS, made: 0 };
        await systemClock.wait(afterMs, this.stopSignal);
        delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
        continue;
      }
      if (settlement.kind !== 'release' || !this.#begun.has(delivery.message) || this.subscription.broadcast)
        return settlement;
      // Only a copy tells the next consumer that it was tried here, and how often: NATS 2.9 does not always count what is handed back.
      const copy = { message: delivery.message, group: this.subscription.group, attempts: delivery.attempt - 1 };
      return (await this.settings.publish(copy)).outcome === 'confirmed' ? accept : settlement;
    }
  }
}

export const natsJetStream = (options: NatsJetStreamOptions): NatsJetStreamTransport =>
  new NatsJetStreamTransport(options);
