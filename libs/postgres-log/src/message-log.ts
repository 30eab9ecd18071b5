import {
  type Clock,
  laneOf,
  type Message,
  type Queryable,
  type Statement,
  type Store,
  TidingsError,
  type TidingsLogger,
  type Transaction,
} from '@tidings/core';
import { isForLater, isUntried, type LogEntry } from './log-entry';
import { LogSignals } from './log-signals';
import { LogUpkeep } from './log-upkeep';
import { LogWatch } from './log-watch';
import { appendDueMessages } from './sql/append-due-messages';
import { appendingFresh } from './sql/append-fresh-message';
import { appendMessages } from './sql/append-messages';
import { listReaders } from './sql/list-readers';
import { findMessage, type LoggedIdentity } from './sql/find-message';
import { type Backlog, measureBacklog } from './sql/measure-backlog';
import { registerDestination } from './sql/register-destination';
import { registerReader } from './sql/register-reader';

/** The relay's name as a reader; a group cannot be called so. */
export const RELAY = 'relay';

/** The log of one store: what writers and the set-up of readers need. Reading is `LogReader`. */
export class MessageLog {
  readonly signals: LogSignals;
  /** Looks at the log for all readers of this process. */
  readonly watch: LogWatch;
  /** Messages for later, and segments: joined by whoever reads the log. */
  readonly upkeep: LogUpkeep;
  readonly #destinations = new Map<string, Promise<number>>();
  readonly #appendingFresh: (entry: LogEntry) => Statement;

  constructor(
    readonly store: Store,
    tools: { readonly clock: Clock; readonly logger: TidingsLogger },
  ) {
    this.#appendingFresh = appendingFresh(store);
    this.signals = new LogSignals(store, tools.clock, tools.logger);
    this.watch = new LogWatch(store, tools.clock, tools.logger);
    this.upkeep = new LogUpkeep(this, tools);
  }

  /**
   * Appends in the order given, as part of the transaction: one INSERT for all (a second one for those that are due later). Readers are woken when it
   * has committed.
   */
  async append(transaction: Transaction, entries: readonly LogEntry[]): Promise<void> {
    await this.#insert(transaction, entries);
    transaction.afterCommit(() => this.#wake(entries));
  }

  /** Appends by itself, durable when it resolves: for retries, redrives and copies from elsewhere, and for publishing without a business transaction. */
  async appendAlone(entries: readonly LogEntry[]): Promise<void> {
    const later = entries.filter(isForLater).length;
    if (later === 0 || later === entries.length) await this.#insert(this.store, entries);
    else await this.store.run((transaction) => this.#insert(transaction, entries));
    this.#wake(entries);
  }

  /**
   * The number of a destination, registered in the store at its first use and remembered. It is asked on Tidings' own connections, so that a
   * caller who holds the last connection of its pool cannot dead-lock.
   */
  destination(transport: string, topic: string, audience = ''): Promise<number> {
    const key = JSON.stringify([transport, topic, audience]);
    let number = this.#destinations.get(key);
    if (!number) {
      number = untilSeen(`destination ${transport}/${topic}`, () =>
        registerDestination(this.store, transport, topic, audience),
      );
      this.#destinations.set(key, number);
      number.catch(() => this.#destinations.delete(key));
    }
    return number;
  }

  /** Its number is asked for anew at its next use: somebody may have removed it from the store. */
  forget(transport: string, topic: string, audience = ''): void {
    this.#destinations.delete(JSON.stringify([transport, topic, audience]));
  }

  /** The number of a reader and its cursors, made at its first call. */
  reader(name: string, destination: number, from: 'now' | 'earliest'): Promise<number> {
    return untilSeen(`reader ${name}`, () => registerReader(this.store, name, destination, from));
  }

  readersOf(transport: string, topic: string): Promise<string[]> {
    return listReaders(this.store, transport, topic);
  }

  backlog(limit = 100_000, topics?: readonly string[]): Promise<Backlog[]> {
    return measureBacklog(this.store, limit, topics);
  }

  /** A message that was written here, delivered or not; see `findMessage`. */
  find(on: Queryable, sought: LoggedIdentity): Promise<Message | undefined> {
    return findMessage(this.store, on, sought);
  }

  async #insert(on: Queryable, entries: readonly LogEntry[]): Promise<void> {
    const [only] = entries;
    if (only && entries.length === 1 && isUntried(only) && !isForLater(only)) {
      await on.query(this.#appendingFresh(only));
      return;
    }
    await appendMessages(this.store, on, entries.filter((entry) => !isForLater(entry))); // prettier-ignore
    const later = entries.filter(isForLater);
    if (later.length > 0) await appendDueMessages(this.store, on, later);
  }

  #wake(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (isForLater(entry)) this.signals.filedForLater();
      else this.signals.appended(entry.destination, laneOf(entry.message));
    }
  }
}

/** A concurrent registration may commit after this one's snapshot: the second look sees it. */
async function untilSeen(what: string, register: () => Promise<number | undefined>): Promise<number> {
  for (let turn = 0; turn < 10; turn++) {
    const id = await register();
    if (id !== undefined) return id;
  }
  throw new TidingsError(
    'TIDINGS_LOG_REGISTER',
    `${what} could not be registered in 10 tries; is it being deleted at the same time?`,
  );
}
