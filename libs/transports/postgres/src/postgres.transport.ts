import type {
  ActiveSubscription,
  Closeable,
  DeadLetterSource,
  GroupDirectory,
  Message,
  NativeDeadLetter,
  NativeDeadLetters,
  OutgoingMessage,
  PeriodicTask,
  PublishResult,
  Receive,
  ReplyAddress,
  RequestReply,
  Store,
  Subscription,
  Transport,
  TransportHealth,
} from '@tidings/core';
import { asError, confirmed, failed, TidingsError } from '@tidings/core';
import {
  checkSchema,
  insertReply,
  logOf,
  type MessageLog,
  listNativeDeadLetters,
  type ReadsLog,
} from '@tidings/postgres-log';
import { deadLetterTaker } from './dead-letter-taker';
import { POSTGRES_CAPABILITIES } from './postgres.capabilities';
import { type PostgresTransportOptions, type ResolvedPostgresOptions, resolveOptions } from './postgres.options';
import { PostgresPublisher } from './postgres-publisher';
import { PostgresReplyAddress } from './postgres-reply-address';
import { PostgresSubscription } from './postgres-subscription';

/** Drain time of subscriptions that nobody stopped before `close`. */
const CLOSE_DRAIN_MS = 10_000;

/** Topics and groups as rows and cursors of a PostgreSQL log. Needs no broker; several processes share a group by leases. */
export class PostgresTransport
  implements Transport, NativeDeadLetters, DeadLetterSource, GroupDirectory, ReadsLog, RequestReply
{
  readonly kind = 'postgres';
  readonly capabilities = POSTGRES_CAPABILITIES;
  readonly #log: MessageLog;
  readonly #publisher: PostgresPublisher;
  readonly #active = new Set<PostgresSubscription>();
  readonly #addresses = new Set<PostgresReplyAddress>();
  readonly #takers = new Set<PeriodicTask>();
  readonly #publishing = new Set<Promise<unknown>>();
  #upkeep: Closeable | undefined;
  #connected: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(private readonly options: ResolvedPostgresOptions) {
    const { store, clock, logger } = options;
    this.#log = logOf(store, clock, logger);
    this.#publisher = new PostgresPublisher(this.#log, options);
  }

  logNamespace(store: Store): string | undefined {
    return store === this.options.store ? this.options.namespace : undefined;
  }

  connect(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#isClosed());
    this.#connected ??= (async () => {
      await this.options.store.connect();
      await checkSchema(this.options.store);
      this.#upkeep = await this.#log.upkeep.join(this.options);
    })();
    this.#connected.catch(() => (this.#connected = undefined));
    return this.#connected;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (this.#closed) throw this.#isClosed();
    const publishing = this.#publisher.publish(messages);
    this.#publishing.add(publishing);
    return publishing.finally(() => this.#publishing.delete(publishing));
  }

  async subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription> {
    if (this.#closed) throw this.#isClosed();
    await this.connect();
    const active: PostgresSubscription = new PostgresSubscription(subscription, receive, this.#log, this.options, () =>
      this.#active.delete(active),
    );
    await active.start();
    this.#active.add(active);
    return active;
  }

  async openReplies(receive: (reply: Message) => void): Promise<ReplyAddress> {
    await this.connect();
    const address = new PostgresReplyAddress(receive, this.#publisher, this.options);
    this.#addresses.add(address);
    await address.open();
    return address;
  }

  /** Files it for up to 5 minutes; it cannot tell that an address is gone. */
  async reply(to: string, reply: Message): Promise<PublishResult> {
    if (this.#closed) throw this.#isClosed();
    try {
      await insertReply(this.options.store, to, reply);
      return confirmed;
    } catch (thrown) {
      return failed('transient', asError(thrown));
    }
  }

  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    const found = await listNativeDeadLetters(this.options.store, this.options.namespace, topic, group, limit);
    return found.map(({ letter }) => letter);
  }

  async takeDeadLetters(
    topic: string,
    group: string,
    bury: (letter: NativeDeadLetter) => Promise<void>,
  ): Promise<{ readonly stop: () => Promise<void> }> {
    await this.connect();
    const taker = deadLetterTaker({ topic, group }, bury, this.options);
    this.#takers.add(taker);
    taker.start();
    return { stop: () => taker.stop().finally(() => this.#takers.delete(taker)) };
  }

  async hasGroup(topic: string, group: string): Promise<boolean> {
    return (await this.#log.readersOf(this.options.namespace, topic)).includes(group);
  }

  health(): TransportHealth {
    const away = [...this.#active].filter((active) => !active.healthy());
    const up = this.#closed === undefined && away.length === 0;
    return {
      up,
      detail: up
        ? `${this.#active.size} subscriptions read the log`
        : `${away.length} subscriptions cannot read the log`,
    };
  }

  /** The store stays open: whoever made it closes it. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#connected?.catch(() => undefined);
      await Promise.all([...this.#active].map((active) => active.stop(CLOSE_DRAIN_MS)));
      await Promise.all([...this.#takers].map((taker) => taker.stop()));
      await Promise.all([...this.#addresses].map((address) => address.close()));
      await this.#upkeep?.close();
      await Promise.allSettled(this.#publishing);
      await this.#log.signals.flush();
    })();
    return this.#closed;
  }

  #isClosed(): TidingsError {
    return new TidingsError('TIDINGS_CLOSED', 'the PostgreSQL transport is closed; make a new one');
  }
}

/** A transport on PostgreSQL. @throws OptionsError for a bad option. */
export const postgres = (options: PostgresTransportOptions): PostgresTransport =>
  new PostgresTransport(resolveOptions(options));
