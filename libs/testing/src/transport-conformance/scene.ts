import { randomBytes } from 'node:crypto';
import {
  type ActiveSubscription,
  type Message,
  type OutgoingMessage,
  type PublishResult,
  type Subscription,
  systemClock,
  type Transport,
} from '@tidings/core';
import { Gate } from '../gate';
import { type Answer, RecordingReceive } from '../recording-receive';
import { testMessage, type TestMessageOverrides } from '../test-message';
import { until } from '../until';
import { ConsumerProcess } from './consumer-process';
import type { TransportHarness } from './harness';

/** One behaviour's stage: names of its own, and everything it opened is closed at the end, also when it failed halfway. */
export class Scene {
  readonly #transports: Transport[] = [];
  readonly #gates: Gate[] = [];
  readonly #processes: ConsumerProcess[] = [];
  readonly #suffix = randomBytes(4).toString('hex');

  readonly #deadlineMs: number;

  constructor(readonly harness: TransportHarness) {
    this.#deadlineMs = (harness.deadlineMs ?? 15_000) * (harness.patience ?? 1);
  }

  topic(name = 'gift.sent'): string {
    return `${name}.${this.#suffix}`;
  }

  /** Messages of the scene's topic, numbered in their payload. */
  messages(count: number, overrides: TestMessageOverrides = {}): Message[] {
    return Array.from({ length: count }, (_, index) =>
      testMessage({ topic: this.topic(), payload: { number: index + 1 }, ...overrides }),
    );
  }

  /** A connected transport. */
  async transport(): Promise<Transport> {
    const transport = await this.unconnected();
    await transport.connect();
    return transport;
  }

  async unconnected(): Promise<Transport> {
    const transport = await this.harness.create();
    this.#transports.push(transport);
    return transport;
  }

  gate(): Gate {
    const gate = new Gate();
    this.#gates.push(gate);
    return gate;
  }

  recording(answer?: Answer): RecordingReceive {
    return new RecordingReceive(answer, this.#deadlineMs);
  }

  subscription(overrides: Partial<Subscription> = {}): Subscription {
    return {
      topic: this.topic(),
      group: 'ranking',
      ordered: false,
      broadcast: false,
      concurrency: 4,
      from: 'now',
      ...this.harness.subscription,
      ...overrides,
    };
  }

  subscribe(
    transport: Transport,
    recording: RecordingReceive,
    overrides: Partial<Subscription> = {},
  ): Promise<ActiveSubscription> {
    return transport.subscribe(this.subscription(overrides), recording.receive);
  }

  /** Publishes and insists that every message is confirmed. */
  async publish(
    transport: Transport,
    messages: readonly Message[],
    options: Omit<OutgoingMessage, 'message'> = {},
  ): Promise<void> {
    const results = await transport.publish(messages.map((message) => ({ message, ...options })));
    expect(results).toEqual(messages.map(() => ({ outcome: 'confirmed' })));
  }

  /** Publishes as a relay does: what failed for now is published again until it is confirmed. */
  async publishUntilConfirmed(transport: Transport, messages: readonly Message[]): Promise<void> {
    let left = [...messages];
    const attempt = async (): Promise<boolean> => {
      const results: readonly PublishResult[] = await transport.publish(left.map((message) => ({ message })));
      const failures = results.flatMap((result) => (result.outcome === 'failed' ? [result.reason] : []));
      expect(failures.filter((reason) => reason !== 'transient')).toEqual([]);
      left = left.filter((_, index) => results[index]?.outcome !== 'confirmed');
      return left.length === 0;
    };
    await until('every message confirmed', attempt, { withinMs: this.#deadlineMs, everyMs: 50 });
  }

  /** Lets everything else that may run run, `times` over. */
  async yield(times = 1): Promise<void> {
    for (let turn = 0; turn < times; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** That something does not happen can be seen only by giving it time: what would happen at once has happened after 50 ms. */
  async lull(): Promise<void> {
    await systemClock.wait(50);
  }

  async untilTrue(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await until(what, condition, { withinMs: this.#deadlineMs });
  }

  /** Another process that takes deliveries of this subscription and never settles one. Resolves when it has subscribed. */
  async holdInProcess(overrides: Partial<Subscription> = {}): Promise<ConsumerProcess> {
    const consumer = new ConsumerProcess(this.harness.process!, this.subscription(overrides));
    this.#processes.push(consumer);
    await consumer.ready();
    return consumer;
  }

  async end(): Promise<void> {
    for (const gate of this.#gates) gate.open();
    await Promise.all(this.#processes.map((consumer) => consumer.kill()));
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }
}
