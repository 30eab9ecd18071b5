import { type Clock, dateOf, type MemoryStore, type Message, timestampOf, type Transaction } from '@tidings/core';
import type { Backlog, DueMessage, LogEntry } from '@tidings/postgres-log';
import { MemoryPrepared } from './memory-prepared';
import type { OutboxLog } from './outbox';
import type { DueMessages, Schedule } from './scheduled-messages';

/** A message that a transaction committed and no relay has passed on. */
export interface UnsentMessage {
  readonly message: Message;
  readonly transport: string;
  readonly optional: boolean;
  /** Not before this time of the log's clock, in milliseconds since 1970. Undefined: at once. */
  readonly dueMs: number | undefined;
  /** In the order of their commits. */
  readonly number: number;
}

/**
 * A log in the memory of this process, for tests: what it holds dies with it. Commit order is its order, so there is no window, no cursor and no lane to
 * take; `MemoryRelay` reads it.
 */
export class MemoryLog implements OutboxLog {
  readonly signals = { filedForLater: (): void => undefined };
  readonly prepared: MemoryPrepared;
  readonly #destinations: { readonly transport: string; readonly topic: string }[] = [];
  readonly #unsent = new Set<UnsentMessage>();
  #numbered = 0;
  readonly #rescheduled = new Set<(unsent: UnsentMessage) => void>();
  readonly #listeners = new Set<(appended: readonly UnsentMessage[]) => void>();

  constructor(
    readonly store: MemoryStore,
    private readonly clock: Clock,
  ) {
    this.prepared = new MemoryPrepared(store, clock);
  }

  /** Committed and not yet passed on, in the order of their commits; those that wait for their time are among them. */
  get unsent(): readonly UnsentMessage[] {
    return [...this.#unsent];
  }

  async append(transaction: Transaction, entries: readonly LogEntry[]): Promise<void> {
    transaction.afterCommit(() => this.#take(entries));
  }

  async destination(transport: string, topic: string): Promise<number> {
    const known = this.#destinations.findIndex((one) => one.transport === transport && one.topic === topic);
    return known >= 0 ? known : this.#destinations.push({ transport, topic }) - 1;
  }

  /** Nothing is kept here of what was delivered. */
  async find(): Promise<Message | undefined> {
    return undefined;
  }

  async backlog(limit = 100_000, topics?: readonly string[]): Promise<Backlog[]> {
    const asked = this.#destinations.filter(({ topic }) => topics?.includes(topic) ?? true);
    return asked.map(({ transport, topic }) => {
      const unsent = this.unsent.filter((one) => one.transport === transport && one.message.topic === topic);
      return { reader: 'relay', transport, topic, messages: Math.min(unsent.length, limit) };
    });
  }

  /** Calls `listener` at each commit with what it appended; what it returns ends that. */
  onAppended(listener: (appended: readonly UnsentMessage[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What waits for its time; a change is the transaction's, and takes effect with its commit. */
  readonly due: DueMessages = {
    list: async (limit, after) =>
      this.#waiting()
        .filter(({ number }) => number > Number(after))
        .slice(0, limit)
        .map(dueMessageOf),
    cancel: async (transaction, messageId) => {
      const waiting = this.#waiting(messageId);
      transaction.afterCommit(() => waiting.forEach((one) => this.#unsent.delete(one)));
      return waiting.length > 0;
    },
    reschedule: async (transaction, messageId, when) => {
      const waiting = this.#waiting(messageId);
      transaction.afterCommit(() => waiting.forEach((one) => this.#reschedule(one, when)));
      return waiting.length > 0;
    },
  };

  /** False: it was passed on, cancelled, or waits for another time. */
  holds(unsent: UnsentMessage): boolean {
    return this.#unsent.has(unsent);
  }

  /** Calls `listener` with each message that waits for another time than before; what it returns ends that. */
  onRescheduled(listener: (unsent: UnsentMessage) => void): () => void {
    this.#rescheduled.add(listener);
    return () => this.#rescheduled.delete(listener);
  }

  #waiting(messageId?: string): (UnsentMessage & { readonly dueMs: number })[] {
    const now = this.clock.now();
    return [...this.#unsent].flatMap((one) =>
      one.dueMs !== undefined && one.dueMs > now && (messageId ?? one.message.id) === one.message.id
        ? [one as UnsentMessage & { readonly dueMs: number }]
        : [],
    );
  }

  #reschedule(unsent: UnsentMessage, { delayMs = 0, deliverAt }: Schedule): void {
    if (!this.#unsent.delete(unsent)) return; // it has left meanwhile
    const now = this.clock.now();
    const dueMs = Math.max(now, deliverAt === undefined ? now + delayMs : Date.parse(deliverAt));
    const again = { ...unsent, dueMs, message: { ...unsent.message, bucket: dateOf(dueMs) } };
    this.#unsent.add(again);
    for (const listener of this.#rescheduled) listener(again);
  }

  /** For whoever passed it on. */
  remove(message: UnsentMessage): void {
    this.#unsent.delete(message);
  }

  #take(entries: readonly LogEntry[]): void {
    const appended = entries.map((entry) => this.#unsentOf(entry));
    for (const one of appended) this.#unsent.add(one);
    for (const listener of this.#listeners) listener(appended);
  }

  /** Time and bucket are those of the commit, as the database's would be; a message for later is filed by the day on which it leaves. */
  #unsentOf({ message, destination, fresh, delayMs, dueAt, optional }: LogEntry): UnsentMessage {
    const now = this.clock.now();
    const wanted = dueAt === undefined ? now + delayMs : Date.parse(dueAt);
    const dueMs = wanted > now ? wanted : undefined;
    const stamped = fresh ? { ...message, time: timestampOf(now), bucket: dateOf(dueMs ?? now) } : message;
    return {
      message: stamped,
      transport: this.#destinations[destination]!.transport,
      optional,
      dueMs,
      number: ++this.#numbered,
    };
  }
}

const dueMessageOf = (unsent: UnsentMessage & { readonly dueMs: number }): DueMessage => ({
  messageId: unsent.message.id,
  type: unsent.message.type,
  topic: unsent.message.topic,
  key: unsent.message.key,
  transport: unsent.transport,
  deliverAt: timestampOf(unsent.dueMs),
  cursor: String(unsent.number),
});
