import {
  type AmbientTransactions,
  type Message,
  type MessageContract,
  type MessageFactory,
  NotInTransactionError,
  type PublishOptions,
  type Queryable,
  type Store,
  type Transaction,
  type Transport,
} from '@tidings/core';
import { type Backlog, type LogEntry, type LoggedIdentity, type MessageLog, readsLog } from '@tidings/postgres-log';
import type { Routes } from './destination';
import { checkBackOptions, type ResolvedCheckBackOptions } from './check-back.options';
import { HeldMessages } from './held-messages';
import { HeldByBrokerError } from './prepared.errors';
import { type PreparedMessage, PreparedMessages } from './prepared-messages';
import { preparedInTable, type PreparedTable } from './prepared-table';
import { checkedInstant, type DueMessages, ScheduledMessages } from './scheduled-messages';

export interface OutboxPublishOptions extends PublishOptions {
  /** Not before this many milliseconds from the insert, by the database's clock. Default 0. */
  readonly delayMs?: number;
  /** Not before this instant (RFC 3339, with its zone), by the database's clock; wins over `delayMs`. An instant in the past means at once. */
  readonly deliverAt?: string;
  /** `optional`: an event that nobody need hear. Default `required`: to reach no group is a failure that is reported. */
  readonly route?: 'required' | 'optional';
}

/** A prepared message's time is that of its decision: it cannot also be delayed. */
export interface PrepareOptions extends Omit<OutboxPublishOptions, 'delayMs' | 'deliverAt'> {
  /**
   * Who holds the message until it is decided. `broker`: the transport of its route, by its own power (RocketMQ's half messages); no row is written as long
   * as it is decided, or the broker's first question answered. It is then in no order with other messages of its key, and takes no part in a
   * transaction. Default `store`: the stronger scheme.
   */
  readonly heldBy?: 'store' | 'broker';
}

/** A contract, a payload that fits it, and options: one of many for `publishAll`. */
export interface Publication<Input = never> {
  readonly contract: MessageContract<unknown, Input>;
  readonly payload: Input;
  readonly options?: OutboxPublishOptions;
}

/** An outbox bound to one open transaction: what it publishes leaves if and only if that commits. */
export interface BoundOutbox {
  /**
   * Writes the message to the log, in the caller's transaction. Resolves with the message when the row is inserted.
   * @throws ContractError when the payload does not fit; nothing is written then.
   */
  publish<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: OutboxPublishOptions,
  ): Promise<Message>;
  /** The same for many, by one INSERT, in the order given. All payloads are checked before anything is written. */
  publishAll<Inputs extends readonly unknown[]>(publications: {
    readonly [Index in keyof Inputs]: Publication<Inputs[Index]>;
  }): Promise<readonly Message[]>;
  /** As `Outbox.prepare`, in the caller's transaction: when that rolls back, nothing was prepared. */
  prepare<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: PrepareOptions,
  ): Promise<PreparedMessage>;
}

/** What an outbox needs of a log. */
export type OutboxLog = Pick<MessageLog, 'store' | 'append' | 'destination' | 'backlog' | 'find'> & {
  readonly signals: Pick<MessageLog['signals'], 'filedForLater'>;
  /** Default: the table of the store. */
  readonly due?: DueMessages;
  /** Default: the table of the store. */
  readonly prepared?: PreparedTable;
};

export interface OutboxSetup {
  readonly log: OutboxLog;
  readonly factory: MessageFactory;
  readonly routes: Routes;
  /** To know which destinations read this log themselves. */
  readonly transports: Readonly<Record<string, Transport>>;
  /** Default: those of `checkBackOptions`. */
  readonly checkBack?: ResolvedCheckBackOptions;
}

/** The transactional outbox of one store. Publishing by itself, without `within`, joins the transaction that is open where it is called. */
export class Outbox implements BoundOutbox {
  /** What waits for its time. */
  readonly scheduled: ScheduledMessages;
  /** What was prepared and waits for its decision. */
  readonly prepared: PreparedMessages;
  /** What brokers hold for this service. For patterns. */
  readonly held: HeldMessages;

  constructor(private readonly setup: OutboxSetup) {
    const { log, factory, checkBack = checkBackOptions.parse({}) } = setup;
    this.scheduled = new ScheduledMessages(log);
    this.prepared = new PreparedMessages(
      log.store,
      log.prepared ?? preparedInTable(log.store),
      factory.source,
      (transaction, message, audience) => this.append(transaction, message, audience),
      checkBack.afterMs,
    );
    const { transports } = setup;
    this.held = new HeldMessages({ store: log.store, prepared: this.prepared, transports, source: factory.source });
  }

  get store(): Store {
    return this.setup.log.store;
  }

  /**
   * Joins an open transaction: an EntityManager, a QueryRunner, a pg client, or the `transaction` of a message context.
   * @throws NotInTransactionError when none is open there.
   */
  within(handle: unknown): BoundOutbox {
    const transaction = this.store.join(handle);
    return {
      publish: async (contract, payload, options) => {
        const [message] = await this.#publish(transaction, [
          { contract, payload, ...(options && { options }) } as Publication,
        ]);
        return message!;
      },
      publishAll: (publications) => this.#publish(transaction, publications as readonly Publication[]),
      prepare: (contract, payload, options) => this.#prepare(contract, payload, options, transaction),
    };
  }

  /**
   * As `within(…).publish`, in the transaction that is open where this is called, by the store's `ambient`; inside a handler, the handler's.
   * @throws NotInTransactionError when none is open here, or the store has no `ambient`.
   */
  async publish<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: OutboxPublishOptions,
  ): Promise<Message> {
    return this.within(this.#current()).publish(contract, payload, options);
  }

  /** As `within(…).publishAll`, in the transaction that is open where this is called. */
  async publishAll<Inputs extends readonly unknown[]>(publications: {
    readonly [Index in keyof Inputs]: Publication<Inputs[Index]>;
  }): Promise<readonly Message[]> {
    return this.within(this.#current()).publishAll(publications);
  }

  /**
   * Writes the message without letting it leave: durable when it resolves. Then operate, and `commit` or `roll back` what was prepared; whoever dies in
   * between leaves it undecided, and after `checkBack.afterMs` the contract's `@OnCheckBack` handler is asked.
   *
   * @throws ContractError when the payload does not fit, AlreadyPreparedError when the id was prepared before, HeldByBrokerError when no broker can hold
   * it as `heldBy` asks; nothing is written then.
   */
  prepare<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: PrepareOptions,
  ): Promise<PreparedMessage> {
    return this.#prepare(contract, payload, options);
  }

  /**
   * Writes a message that was made elsewhere, in the transaction given: its bytes as they are, its time and bucket the database's. For patterns; an
   * application publishes contracts.
   */
  async append(
    transaction: Transaction,
    message: Message,
    { transports, optional }: { readonly transports: readonly string[]; readonly optional: boolean },
  ): Promise<void> {
    const destinations = await Promise.all(transports.map((name) => this.#destination(name, message.topic)));
    await this.setup.log.append(transaction, destinations.map((destination) => freshEntry(message, destination, optional))); // prettier-ignore
  }

  /** What each reader of this store's log has not passed yet, counted up to `limit` a reader (default 100,000). */
  backlog(limit?: number): Promise<readonly Backlog[]> {
    return this.setup.log.backlog(limit);
  }

  /**
   * A message that a transaction published here, while the log keeps it: until it was delivered and `relay.rotation.archiveMs` have passed, at least.
   * Undefined when that transaction is open, rolled back, or the message is gone.
   */
  find(sought: LoggedIdentity, on: Queryable = this.store): Promise<Message | undefined> {
    return this.setup.log.find(on, sought);
  }

  #current(): Transaction {
    const store: Store & Partial<AmbientTransactions> = this.store;
    if (store.joinCurrent) return store.joinCurrent();
    throw new NotInTransactionError(
      'a store that knows no current transaction',
      'use outbox.within(handle).publish(…)',
    );
  }

  async #prepare<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options: PrepareOptions = {},
    transaction?: Transaction,
  ): Promise<PreparedMessage> {
    const { factory, routes } = this.setup;
    const message = await factory.create(contract, payload, options);
    const transports = routes(contract).map(({ transport }) => transport);
    if (options.heldBy === 'broker') {
      if (!transaction) return this.held.prepare(message, transports, options.route);
      throw new HeldByBrokerError(message.type, 'no transaction, in which a broker takes no part, found outbox.within');
    }
    return this.prepared.prepare(message, { transports, optional: options.route === 'optional' }, transaction);
  }

  async #publish(transaction: Transaction, publications: readonly Publication[]): Promise<readonly Message[]> {
    const { factory, routes } = this.setup;
    // One after the other: with checks that do not wait, as nearly all are, promises of many at once are only more work.
    const messages: Message[] = [];
    const entries: LogEntry[] = [];
    for (const { contract, payload, options = {} } of publications) {
      const message = await factory.create(contract, payload, options);
      messages.push(message);
      for (const { transport } of routes(contract)) {
        entries.push({
          ...freshEntry(message, await this.#destination(transport, contract.topic), options.route === 'optional'),
          delayMs: options.delayMs ?? 0,
          dueAt: options.deliverAt && checkedInstant('deliverAt', options.deliverAt),
        });
      }
    }
    await this.setup.log.append(transaction, entries);
    return messages;
  }

  #destination(transport: string, topic: string): Promise<number> {
    const target = this.setup.transports[transport];
    const namespace = target && readsLog(target) ? target.logNamespace(this.store) : undefined;
    return this.setup.log.destination(namespace ?? transport, topic);
  }
}

const freshEntry = (message: Message, destination: number, optional: boolean): LogEntry => ({
  message,
  destination,
  fresh: true,
  attempts: 0,
  optional,
  delayMs: 0,
});
