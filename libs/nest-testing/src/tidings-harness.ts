import type { OnModuleDestroy } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import {
  type Message,
  type MessageContract,
  MessageFactory,
  MemoryStore,
  type MemoryTransaction,
  type PublishOptions,
  systemClock,
  TidingsError,
} from '@tidings/core';
import { type ApplicationDeadLetters, getDeadLettersToken, type MessagingOptions, type MessagingSubstitutes, type StoredLetter, type WatchedLog } from '@tidings/messaging'; // prettier-ignore
import { Activity } from './activity';
import { ambientTransaction } from './ambient-transaction';
import { type Duration, millisOf } from './duration';
import type { FaultOptions } from './faults';
import { NotSettledError } from './not-settled.error';
import { type Attempt, type Publication, Recorder } from './recorder';
import { type ReplacedTransport, recordingTransport } from './recording-transport';
import { TestClock } from './test-clock';
import type { TidingsTestingOptions } from './testing.options';

type AnyContract = MessageContract<unknown, never>;

/** With the payload as its contract reads it. */
export type WithPayload<Told, Payload> = Told & { readonly payload: Payload };

/** A dead letter that waits for somebody. */
export interface Buried {
  readonly letter: StoredLetter;
  readonly message: Message;
  /** The group that gave up, or the destination. */
  readonly group: string;
  readonly reason: string;
  readonly store: string;
}

/** How long a handler's own work may hold time back when the clock is moved. */
const AT_WORK_MS = 250;

/**
 * What a test sees of an application's messaging, and does to it: `module.get(TidingsHarness)`. Time stands still but for `advance`. All that is told is
 * since the start, or since `clear`.
 */
export class TidingsHarness implements OnModuleDestroy {
  readonly #clock: TestClock;
  readonly #activity = new Activity();
  readonly #recorder = new Recorder(this.#activity);
  readonly #stores = new Map<string, MemoryStore>();
  readonly #logs = new Map<string, WatchedLog>();
  readonly #transports = new Map<string, ReplacedTransport>();
  readonly #elsewhere: MessageFactory;

  constructor(
    private readonly modules: ModuleRef,
    private readonly options: TidingsTestingOptions,
  ) {
    this.#clock = new TestClock(options.now === undefined ? undefined : Date.parse(options.now));
    this.#elsewhere = new MessageFactory('another service', this.#clock);
  }

  /** Milliseconds since 1970, as the application's messaging sees it. */
  get now(): number {
    return this.#clock.now();
  }

  /**
   * Resolves when nothing is in flight: each message that was published is relayed, and handled, failed for now, or buried. What waits for a later time
   * (a delay, a retry) is no reason to wait: move there by `advance`.
   *
   * It knows of messages, not of your code: await what publishes before.
   *
   * @throws NotSettledError that names what is pending after `timeoutMs` (default 5,000) of real time.
   */
  async settled({ timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    const over = new AbortController();
    let late = false;
    const deadline = systemClock.wait(timeoutMs, over.signal).then(() => void (late = true));
    try {
      for (;;) {
        await this.#activity.quiet();
        const pending = this.#pending();
        if (pending.length === 0) return;
        if (late) throw new NotSettledError(timeoutMs, pending);
        await Promise.race([this.#activity.next(), deadline]);
      }
    } finally {
      over.abort();
    }
  }

  /**
   * Moves the time on, stopping wherever something is due: delayed messages leave, retries are made, each at its own time, with what follows from it.
   * Handlers that are still at work after a quarter of a second do not hold it back. Await `settled` after it.
   */
  async advance(by: Duration): Promise<void> {
    const target = this.now + millisOf('advance', by);
    await this.#atRest();
    for (let due; (due = this.#clock.nextDueMs) !== undefined && due <= target;) {
      this.#clock.moveTo(due);
      await this.#atRest();
    }
    this.#clock.moveTo(target);
    await this.#atRest();
  }

  /** What was published: committed to an outbox, or confirmed by a transport, in that order. What rolled back is not among it. */
  async published(): Promise<readonly Publication[]>;
  async published<Payload>(contract: MessageContract<Payload, never>): Promise<readonly WithPayload<Publication, Payload>[]>; // prettier-ignore
  async published(contract?: AnyContract): Promise<readonly unknown[]> {
    return contract ? withPayloads(this.#recorder.publications, contract) : [...this.#recorder.publications];
  }

  /** Each time that a handler ran and its effects were committed. */
  async handled(): Promise<readonly Attempt[]>;
  async handled<Payload>(contract: MessageContract<Payload, never>, options?: { readonly group?: string }): Promise<readonly WithPayload<Attempt, Payload>[]>; // prettier-ignore
  async handled(contract?: AnyContract, { group }: { readonly group?: string } = {}): Promise<readonly unknown[]> {
    const handled = this.#recorder.attempts.filter(({ outcome }) => outcome === 'handled');
    return contract ? withPayloads(handled.filter((one) => group === undefined || one.group === group), contract) : handled; // prettier-ignore
  }

  /** Every attempt, also those that failed and the copies that the inbox absorbed. */
  attempts(contract?: AnyContract): readonly Attempt[] {
    return this.#recorder.attempts.filter(({ message }) => !contract || message.type === contract.type);
  }

  /** Dead letters that wait for somebody, of all stores. */
  async buried(contract?: AnyContract): Promise<readonly Buried[]> {
    const buried: Buried[] = [];
    for (const store of this.#stores.keys()) {
      const letters = this.deadLetters(store);
      for (const { id } of await letters.list({ limit: 500, ...(contract && { type: contract.type }) })) {
        const letter = (await letters.find(id))!;
        buried.push({ letter, message: letter.message, group: letter.place, reason: letter.reason, store });
      }
    }
    return buried;
  }

  /** A store's dead letters, to redrive, edit and discard as a person would. Default: the store `default`, or the only one. */
  deadLetters(store?: string): ApplicationDeadLetters {
    return this.modules.get<ApplicationDeadLetters>(getDeadLettersToken(this.#nameOf(store)), { strict: false });
  }

  /** A message from another service arrives. Resolves with it, before it is handled: await `settled`. */
  async receive<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: PublishOptions,
  ): Promise<Message> {
    const message = await this.#elsewhere.create(contract, payload, options);
    await this.redeliver(message);
    return message;
  }

  /** The broker delivers the very message, once more if it did before: to every group, or to one. */
  async redeliver(message: Message, { group }: { readonly group?: string } = {}): Promise<void> {
    for (const { broker } of this.#transports.values()) broker.route({ message, ...(group !== undefined && { group }) }); // prettier-ignore
    this.#activity.happened();
  }

  /** Cuts off the next attempts at a contract's messages; see `FaultPlace`. */
  failNext(contract: AnyContract, options: FaultOptions = {}): void {
    this.#recorder.faults.add(contract, options);
  }

  /** Runs `work` in a transaction of a store, as the application's own would be: commits when it resolves, rolls back when it rejects. */
  transaction<T>(work: (transaction: MemoryTransaction) => Promise<T>, store?: string): Promise<T> {
    return this.#storeOf(store).run(work);
  }

  /** Forgets what was published and handled so far. Dead letters, inboxes and what is pending stay. */
  clear(): void {
    this.#recorder.clear();
  }

  /** From here on an application stops, which takes real time. */
  onModuleDestroy(): void {
    this.#clock.run();
  }

  /** For MessagingModule. */
  get substitutes(): MessagingSubstitutes {
    return {
      clock: this.#clock,
      outermost: this.#recorder.outermost,
      innermost: this.#recorder.innermost,
      optionsFor: (given) => this.#optionsFor(given),
      watch: (store, log) => {
        this.#logs.set(store, log);
        log.onAppended((appended) => {
          for (const { message, transport, dueMs } of appended) this.#recorder.committed(message, transport, dueMs);
        });
      },
    };
  }

  /** What the application gave, on memory. It relays by itself: the process that would is not here. */
  #optionsFor({ migrate: _migrate, ...given }: MessagingOptions): MessagingOptions {
    const ambient = ambientTransaction();
    const { handles } = this.options;
    for (const name of Object.keys(given.transports))
      this.#transports.set(name, recordingTransport(name, this.#clock, this.#recorder));
    for (const name of Object.keys(given.stores ?? {}))
      this.#stores.set(name, new MemoryStore({ ambient, ...(handles && { handles }) }));
    const { roles = ['publish', 'relay', 'handle'] } = given;
    return {
      ...given,
      stores: Object.fromEntries(this.#stores),
      transports: Object.fromEntries([...this.#transports].map(([name, { transport }]) => [name, transport])),
      roles: roles.length === 0 || roles.includes('relay') ? roles : [...roles, 'relay'],
    };
  }

  #pending(): string[] {
    const { inFlight } = this.#recorder;
    const unsent = [...this.#logs].flatMap(([store, log]) => log.unsent.map((one) => ({ store, ...one })));
    const ready = [...this.#transports.values()].flatMap(({ broker }) => broker.ready);
    return [
      ...[...inFlight].map(({ message, handler, attempt }) => `in flight: ${nameOf(message)} in ${handler.name} of group ${handler.subscription.group}, attempt ${attempt}`), // prettier-ignore
      ...unsent.filter(({ dueMs = 0 }) => dueMs <= this.now).map(({ store, transport, message }) => `unsent: ${nameOf(message)} in the outbox of store ${store}, for transport ${transport}`), // prettier-ignore
      ...ready.map(({ group, message }) => `waiting: ${nameOf(message)} for a free place of group ${group}`),
    ];
  }

  async #atRest(): Promise<void> {
    for (;;) {
      await this.#activity.quiet();
      if (this.#recorder.inFlight.size === 0) return;
      const over = new AbortController();
      const waited = systemClock.wait(AT_WORK_MS, over.signal).then(() => true);
      const late = await Promise.race([this.#activity.next().then(() => false), waited]);
      over.abort();
      if (late) return;
    }
  }

  #nameOf(name?: string): string {
    const names = [...this.#stores.keys()];
    const [only] = names;
    const found = name ?? (names.includes('default') ? 'default' : names.length === 1 ? only : undefined);
    if (found !== undefined && names.includes(found)) return found;
    throw new TidingsError(
      'TIDINGS_TEST_STORE',
      `expected a store of messaging.stores (${names.join(', ') || 'none'}), found ${name ?? 'none named'}`,
    );
  }

  #storeOf(name?: string): MemoryStore {
    return this.#stores.get(this.#nameOf(name))!;
  }
}

const nameOf = ({ type, id }: Message): string => `${type} ${id}`;

async function withPayloads<Told extends { readonly message: Message }, Payload>(
  told: readonly Told[],
  contract: MessageContract<Payload, never>,
): Promise<WithPayload<Told, Payload>[]> {
  const mine = told.filter(({ message }) => message.type === contract.type);
  return Promise.all(mine.map(async (one) => ({ ...one, payload: await contract.decode(one.message) })));
}
