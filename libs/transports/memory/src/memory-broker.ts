import {
  type Clock,
  type Message,
  type NativeDeadLetter,
  type OutgoingMessage,
  type Subscription,
  systemClock,
  TidingsError,
} from '@tidings/core';
import { copyOf } from './copy';
import { DelayQueue } from './delay-queue';
import type { MemoryConsumer, SettlementDesk } from './memory-consumer';
import { type Entry, MemoryQueue } from './memory-queue';

export interface MemoryBrokerOptions {
  /** Messages kept a topic for groups that begin at the earliest. Default 1,000. */
  readonly keep?: number;
  readonly clock?: Clock;
}

interface Topic {
  /** Durable groups, by name: they stay while their consumers are away. */
  readonly groups: Map<string, MemoryQueue>;
  /** A queue for each broadcast consumer, as long as it is there. */
  readonly broadcasts: Set<MemoryQueue>;
  readonly kept: Omit<Entry, 'place'>[];
}

/** What several memory transports share: topics, their groups' queues, dead letters. */
export class MemoryBroker {
  readonly #topics = new Map<string, Topic>();
  readonly #deadLetters = new Map<string, NativeDeadLetter[]>();
  readonly #consumers = new Set<MemoryConsumer>();
  readonly #addresses = new Map<string, (reply: Message) => void>();
  readonly #delays: DelayQueue;
  readonly #keep: number;
  readonly #clock: Clock;
  #addressCount = 0;
  #connections = 0;
  #up = true;

  constructor({ keep = 1_000, clock = systemClock }: MemoryBrokerOptions = {}) {
    this.#keep = keep;
    this.#clock = clock;
    this.#delays = new DelayQueue(clock);
  }

  get up(): boolean {
    return this.#up;
  }

  attach(): void {
    this.#connections += 1;
    this.#delays.start();
  }

  detach(): void {
    this.#connections -= 1;
    if (this.#connections === 0) this.#delays.stop();
  }

  /**
   * For tests: every connection breaks, what was held and not settled goes back to its group, and for `downMs` nobody can publish.
   * Resolves when the consumers are back.
   */
  async cut(downMs = 20): Promise<void> {
    this.#up = false;
    for (const consumer of this.#consumers) consumer.cut();
    await this.#clock.wait(downMs);
    this.#up = true;
    for (const consumer of this.#consumers) consumer.connect();
  }

  /** The subscription's queue: the group's, made now if it is new, or one of its own for a broadcast. */
  declare({ topic, group, ordered, broadcast, from }: Subscription): MemoryQueue {
    const { groups, broadcasts, kept } = this.#topic(topic);
    const existing = broadcast ? undefined : groups.get(group);
    if (existing?.ordered === !ordered) {
      const [was, asked] = ordered ? ['unordered', 'ordered'] : ['ordered', 'unordered'];
      throw new TidingsError(
        'TIDINGS_GROUP',
        `group ${group} of ${topic} is ${was}, asked was ${asked}; use a new group's name`,
      );
    }
    if (existing) return existing;
    const queue = new MemoryQueue(group, ordered);
    if (broadcast) broadcasts.add(queue);
    else groups.set(group, queue);
    if (from === 'earliest') for (const entry of kept) queue.add(entry);
    return queue;
  }

  join(consumer: MemoryConsumer): void {
    this.#consumers.add(consumer);
    if (this.#up) consumer.connect();
  }

  leave(consumer: MemoryConsumer, queue: MemoryQueue): void {
    this.#consumers.delete(consumer);
    this.#topic(consumer.subscription.topic).broadcasts.delete(queue);
  }

  /** The number of queues that the message reached, or will when its delay is over. */
  route({ message, group, attempts = 0, delayMs = 0, stamp }: OutgoingMessage): number {
    const topic = this.#topic(message.topic);
    const queues = [...topic.groups.values(), ...topic.broadcasts].filter(
      (queue) => group === undefined || queue.group === group,
    );
    const entry = { message: copyOf(message), attempts, redelivered: attempts > 0, ...(stamp && { stamp }) };
    const arrive = (): void => {
      if (group === undefined && topic.kept.push(entry) > this.#keep) topic.kept.shift();
      for (const queue of queues) queue.add(entry);
    };
    if (delayMs > 0) this.#delays.add(delayMs, arrive);
    else arrive();
    return queues.length;
  }

  /** A name that no other process on this broker has, until `closeAddress`. */
  openAddress(receive: (reply: Message) => void): string {
    this.#addressCount += 1;
    const address = `memory:${this.#addressCount}`;
    this.#addresses.set(address, receive);
    return address;
  }

  closeAddress(address: string): void {
    this.#addresses.delete(address);
  }

  /** In a microtask, as behind a network. False when nobody has this address. */
  deliverReply(address: string, reply: Message): boolean {
    if (!this.#addresses.has(address)) return false;
    const copy = copyOf(reply);
    queueMicrotask(() => this.#addresses.get(address)?.(copy));
    return true;
  }

  /** For tests: what waits for a free place of a group's consumers, and for nothing else. */
  get ready(): readonly { readonly group: string; readonly message: Message }[] {
    const queues = [...this.#topics.values()].flatMap(({ groups, broadcasts }) => [...groups.values(), ...broadcasts]);
    return queues.flatMap(({ group, ready }) => ready.map((message) => ({ group, message })));
  }

  groupsOf(topic: string): string[] {
    return [...(this.#topics.get(topic)?.groups.keys() ?? [])];
  }

  deadLetters(topic: string, group: string, limit: number): NativeDeadLetter[] {
    const letters = this.#deadLetters.get(address(topic, group)) ?? [];
    return letters.slice(0, limit).map((letter) => ({ ...letter, message: copyOf(letter.message) }));
  }

  /** Where a consumer of this group files what it cannot settle by its queue alone. */
  desk(group: string): SettlementDesk {
    return {
      later: (afterMs, run) => this.#delays.add(afterMs, run),
      bury: ({ message, attempts }, reason) => {
        const place = address(message.topic, group);
        const letters = this.#deadLetters.get(place) ?? [];
        letters.push({ message, reason, attempts: attempts + 1 });
        this.#deadLetters.set(place, letters);
      },
    };
  }

  #topic(name: string): Topic {
    const existing = this.#topics.get(name);
    if (existing) return existing;
    const topic: Topic = { groups: new Map(), broadcasts: new Set(), kept: [] };
    this.#topics.set(name, topic);
    return topic;
  }
}

const address = (topic: Message['topic'], group: string): string => JSON.stringify([topic, group]);
