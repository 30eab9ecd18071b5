import type { Message, Stamp } from '@tidings/core';
import type { MemoryConsumer } from './memory-consumer';

/** A message in one group's queue. */
export interface Entry {
  readonly message: Message;
  readonly stamp?: Stamp;
  /** Attempts that count. */
  attempts: number;
  /** A handler has begun with it before. */
  redelivered: boolean;
  /** Its place in the queue. */
  place: number;
}

/**
 * One group's messages, oldest first. An entry is waiting (in `#ready`, or behind its key's head) or held by one consumer.
 * In an ordered queue each key has one head at most, wherever that head is: its followers wait here until it is gone, so two consumers never
 * hold messages of one key.
 */
export class MemoryQueue {
  readonly #ready: Entry[] = [];
  readonly #heads = new Map<string, Entry>();
  readonly #followers = new Map<string, Entry[]>();
  readonly #consumers: MemoryConsumer[] = [];
  #places = 0;
  #dealing = false;

  constructor(
    readonly group: string,
    readonly ordered: boolean,
  ) {}

  /** To be handed out as soon as a consumer has a place. */
  get ready(): readonly Message[] {
    return this.#ready.map(({ message }) => message);
  }

  add(entry: Omit<Entry, 'place'>): void {
    const placed: Entry = { ...entry, place: ++this.#places };
    const { key } = placed.message;
    if (!this.ordered || key === null) return this.#makeReady(placed);
    if (!this.#heads.has(key)) {
      this.#heads.set(key, placed);
      return this.#makeReady(placed);
    }
    const followers = this.#followers.get(key);
    if (followers) followers.push(placed);
    else this.#followers.set(key, [placed]);
  }

  /** Back to its old place: whoever held it could not finish it. */
  giveBack(entry: Entry): void {
    this.#makeReady(entry);
  }

  /** To the end of the queue, so that a failing message does not stand in the others' way. Of an ordered key it stays the head. */
  queueAgain(entry: Entry): void {
    entry.place = ++this.#places;
    this.#makeReady(entry);
  }

  /** It will never be delivered again; its key's next one becomes the head. */
  remove(entry: Entry): void {
    const { key } = entry.message;
    if (key !== null && this.#heads.get(key) === entry) {
      const followers = this.#followers.get(key);
      const next = followers?.shift();
      if (followers?.length === 0) this.#followers.delete(key);
      if (next) {
        this.#heads.set(key, next);
        this.#makeReady(next);
      } else this.#heads.delete(key);
    }
    this.deal();
  }

  join(consumer: MemoryConsumer): void {
    this.#consumers.push(consumer);
    this.deal();
  }

  leave(consumer: MemoryConsumer): void {
    const index = this.#consumers.indexOf(consumer);
    if (index >= 0) this.#consumers.splice(index, 1);
  }

  /** Hands ready entries out, round robin, in a microtask: a publisher must not run its consumers' handlers inside its own call. */
  deal(): void {
    if (this.#dealing) return;
    this.#dealing = true;
    queueMicrotask(() => {
      this.#dealing = false;
      while (this.#ready.length > 0) {
        const index = this.#consumers.findIndex((consumer) => consumer.wantsMore());
        if (index < 0) return;
        const [consumer] = this.#consumers.splice(index, 1) as [MemoryConsumer];
        this.#consumers.push(consumer);
        consumer.take(this.#ready.shift()!);
      }
    });
  }

  #makeReady(entry: Entry): void {
    let index = this.#ready.length;
    while (index > 0 && this.#ready[index - 1]!.place > entry.place) index -= 1;
    this.#ready.splice(index, 0, entry);
    this.deal();
  }
}
