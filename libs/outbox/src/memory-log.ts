import { type Clock, dateOf, type Message, type Store, timestampOf, type Transaction } from '@tidings/core';
import type { Backlog, LogEntry } from '@tidings/postgres-log';
import type { OutboxLog } from './outbox';

/** A message that a transaction committed and no relay has passed on. */
export interface UnsentMessage {
  readonly message: Message;
  readonly transport: string;
  readonly optional: boolean;
  /** Not before this time of the log's clock, in milliseconds since 1970. Undefined: at once. */
  readonly dueMs: number | undefined;
}

/**
 * A log in the memory of this process, for tests: what it holds dies with it. Commit order is its order, so there is no window, no cursor and no lane to
 * take; `MemoryRelay` reads it.
 */
export class MemoryLog implements OutboxLog {
  readonly signals = { filedForLater: (): void => undefined };
  readonly #destinations: { readonly transport: string; readonly topic: string }[] = [];
  readonly #unsent = new Set<UnsentMessage>();
  readonly #listeners = new Set<(appended: readonly UnsentMessage[]) => void>();

  constructor(
    readonly store: Store,
    private readonly clock: Clock,
  ) {}

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
    return { message: stamped, transport: this.#destinations[destination]!.transport, optional, dueMs };
  }
}
