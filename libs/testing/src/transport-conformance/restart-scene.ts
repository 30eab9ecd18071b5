import { accept, type Message, type Transport } from '@tidings/core';
import type { PrivateServer } from '../private-servers';
import { recordingReceive } from '../recording-receive';
import { testMessage } from '../test-message';
import { until } from '../until';

const KEYS = 7;
/** So many are handled when the server ends. */
const BEFORE_THE_END = 300;

export interface RestartSceneOptions {
  /** How long the scene waits for what must happen after a restart. Default 60,000. */
  readonly patienceMs?: number;
  /** So many that the server ends in their middle. Default 1,500. */
  readonly messages?: number;
}

/**
 * Transports whose server is ended and started beneath them: trap 29. Made inside of a `describePrivate`, whose hooks it adds to: every transport is
 * closed after each test, and no rejection may be left unhandled, for it would end the process that uses the transport.
 */
export class RestartScene<T extends Transport, Options = undefined> {
  readonly #transports: T[] = [];
  readonly #patience: { readonly withinMs: number };
  readonly #messages: number;
  #topics = 0;

  constructor(
    /** Not yet connected. Delays of its own (reconnect, lease, session) should be short. */
    private readonly create: (options?: Options) => T,
    { patienceMs = 60_000, messages = 1_500 }: RestartSceneOptions = {},
  ) {
    this.#patience = { withinMs: patienceMs };
    this.#messages = messages;
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    beforeAll(() => void process.on('unhandledRejection', onUnhandled));
    afterEach(async () => {
      await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
      expect(unhandled).toEqual([]);
    }, 60_000);
    afterAll(() => void process.off('unhandledRejection', onUnhandled));
  }

  async connected(options?: Options): Promise<T> {
    const transport = this.create(options);
    this.#transports.push(transport);
    await transport.connect();
    return transport;
  }

  /**
   * Publishes as a relay does: in order, and nothing behind a message that did not get through. A server that is away refuses nothing for good: a relay
   * would make a dead letter of it, and let what follows pass.
   */
  async relay(transport: T, messages: readonly Message[]): Promise<void> {
    let at = 0;
    const batch = async (): Promise<boolean> => {
      const results = await transport.publish(messages.slice(at, at + 20).map((message) => ({ message })));
      for (const result of results)
        if (result.outcome === 'failed' && result.reason !== 'transient') throw result.error;
      const failed = results.findIndex(({ outcome }) => outcome === 'failed');
      at += failed < 0 ? results.length : failed;
      return at >= messages.length;
    };
    await until('all is confirmed', batch, this.#patience);
  }

  /** Ends the server in the middle of publishing, handling and settling, and starts it: nothing is lost, and no key is out of order or run twice at once. */
  async inTheMiddle(server: PrivateServer, end: 'stop' | 'crash', options?: Options): Promise<void> {
    const topic = `middle-${++this.#topics}`;
    const [sender, receiver] = [await this.connected(options), await this.connected(options)];
    /** By id, in the order in which each was handled first. */
    const handled = new Map<string, Message>();
    const recording = recordingReceive(async ({ message }) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (!handled.has(message.id)) handled.set(message.id, message);
      return accept;
    });
    const subscription = { topic, group: 'ranking', ordered: true, broadcast: false, concurrency: 10, from: 'now' } as const; // prettier-ignore
    const active = await receiver.subscribe(subscription, recording.receive);
    const messages = Array.from({ length: this.#messages }, (_, n) => testMessage({ topic, key: `room-${n % KEYS}` }));
    const relaying = this.relay(sender, messages);
    await until('a part is handled', () => handled.size >= BEFORE_THE_END, this.#patience);
    await server[end]();
    const atTheEnd = handled.size;
    await server.start();
    await relaying;
    await until('all is handled', () => handled.size === messages.length, this.#patience);
    expect(atTheEnd).toBeLessThan(messages.length); // it was in the middle
    for (let room = 0; room < KEYS; room++) {
      const ids = (list: readonly Message[]) => list.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
      expect(ids([...handled.values()])).toEqual(ids(messages));
    }
    expect(recording.overlappingKeys).toEqual([]);
    const healthy = (): boolean => active.healthy() && sender.health().up && receiver.health().up;
    await until('healthy again', healthy, this.#patience);
  }
}
