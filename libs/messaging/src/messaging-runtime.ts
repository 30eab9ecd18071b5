import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import {
  hasRequestReply,
  MessageFactory,
  type Middleware,
  type Migration,
  replyMiddleware,
  type Clock,
  MemoryStore,
  type Store,
  systemClock,
  type TidingsLogger,
} from '@tidings/core';
import {
  deadLetterMiddleware,
  deadLetterMigrations,
  poisonMiddlewares,
  retryBudgetMiddleware,
} from '@tidings/dead-letter';
import {
  FilteredInbox,
  inboxMiddleware,
  inboxMigrations,
  sharedTransactions,
  storelessInboxMiddleware,
} from '@tidings/inbox';
import { parkedKeysMigrations, parkingMiddleware } from '@tidings/parked-keys';
import { type CheckBack, checkSchema, outboxMigrations, postgresLogMigrations } from '@tidings/outbox';
import { callbackMigrations } from '@tidings/callback';
import { reclaimMigrations } from '@tidings/reclaim';
import { ApplicationCallback } from './callback/application-callback';
import { chainOf } from './chain';
import { databasePatterns } from './database-patterns';
import { memoryPatterns } from './memory-patterns';
import {
  type CheckedMessagingOptions,
  checkMessagingOptions,
  type MessagingOptions,
  type Role,
} from './messaging.options';
import type { MessagingSubstitutes } from './messaging.substitutes';
import { HandlerDirectory } from './handling/handler-directory';
import { refusalMiddleware } from './handling/refusal.middleware';
import { CircuitDirectory } from './lifecycle/circuit-directory';
import { ExpectedGroups } from './lifecycle/expected-groups.task';
import { nestLogger } from './nest.logger';
import type { ApplicationDeadLetters } from './publishing/application-dead-letters';
import { ContractRouter } from './publishing/contract-router';
import { MessagePublisher } from './publishing/message-publisher';
import { MessageRequester } from './publishing/message-requester';
import { TransportRegistry } from './publishing/transport-registry';
import { storeNamed } from './store-choice';
import type { ControlsOfStore, StorePatterns } from './store-patterns';

/** All tables that a store needs: for `migrate(store, messagingMigrations)` of @tidings/database. */
export const messagingMigrations: readonly Migration[] = [
  ...postgresLogMigrations,
  ...outboxMigrations,
  ...inboxMigrations,
  ...deadLetterMigrations,
  ...parkedKeysMigrations,
  ...reclaimMigrations,
  ...callbackMigrations,
];

/** Everything that an application's options describe, put together, and nothing started. One an application. */
export class MessagingRuntime {
  readonly options: CheckedMessagingOptions;
  readonly clock: Clock;
  readonly circuits = new CircuitDirectory();
  readonly logger: TidingsLogger;
  readonly transports: TransportRegistry;
  readonly router: ContractRouter;
  /** Known once the application has started. */
  readonly handlers = new HandlerDirectory();
  readonly publisher: MessagePublisher;
  readonly requester: MessageRequester;
  /** Undefined: this service takes no part. */
  readonly callback: ApplicationCallback | undefined;
  /** Work of modules that stand on this one: started when handlers run, stopped with them. */
  readonly companions: Pick<CheckBack, 'start' | 'stop'>[] = [];
  readonly expectedGroups: ExpectedGroups;
  readonly chain: readonly Middleware[];
  /** For what is released from a parked key: the same, without the parking. */
  readonly releasedChain: readonly Middleware[];
  /** Tells this process in dead letters and leases: a host may run several, and a container's process is always number 1. */
  readonly instance = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  /** For the messages of a batch, whose chain opens no transaction of its own. */
  readonly shared: ReturnType<typeof sharedTransactions>;
  readonly #stores: ReadonlyMap<string, StorePatterns>;

  /** @throws OptionsError that names the bad option by its path. */
  constructor(
    given: MessagingOptions,
    private readonly substitutes?: MessagingSubstitutes,
  ) {
    const options = checkMessagingOptions(substitutes?.optionsFor(given) ?? given);
    this.clock = substitutes?.clock ?? systemClock;
    this.options = options;
    this.logger = options.logger ?? nestLogger();
    this.transports = new TransportRegistry(options.transports);
    this.router = new ContractRouter(options.routes, this.transports.names);
    this.expectedGroups = new ExpectedGroups(options.expects, this.router, this.transports, this.clock, this.logger);
    const factory = new MessageFactory(options.source, this.clock);
    this.publisher = new MessagePublisher(factory, this.router.destinationsOf, this.transports);
    const { clock, logger, transports } = this;
    this.requester = new MessageRequester({ factory, routes: this.router.destinationsOf, transports, clock, logger });
    this.#stores = new Map(
      Object.entries(options.stores).map(([name, store]) => [name, this.#patternsOf(name, store, factory)]),
    );
    this.callback = options.callback && new ApplicationCallback(this, options.callback, factory);
    const parking = parkingMiddleware({
      parkedKeysOf: (name) => this.#stores.get(name)?.parkedKeys,
      logger: this.logger,
    });
    this.chain = this.#chain(parking);
    this.releasedChain = this.#chain(undefined);
    this.shared = sharedTransactions({
      ...options.inbox,
      stores: (name) => this.#stores.get(name)!.store,
      inboxOf: (name) => this.#stores.get(name)!.inboxBatch,
    });
  }

  get stores(): readonly StorePatterns[] {
    return [...this.#stores.values()];
  }

  get storeNames(): readonly string[] {
    return [...this.#stores.keys()];
  }

  /** True when a store is meant where none is named. */
  get hasDefaultStore(): boolean {
    return this.#stores.size === 1 || this.#stores.has('default');
  }

  /** Of the store that is meant where none is named; undefined when there is none. */
  get controls(): ControlsOfStore | undefined {
    return this.hasDefaultStore ? this.storeFor('messaging').controls : undefined;
  }

  plays(...roles: readonly Role[]): boolean {
    return roles.some((role) => this.options.roles.includes(role));
  }

  /** False when messages of this type go by a transport that has no request-reply. */
  carriesRequests(type: string): boolean {
    const { transports } = this.options;
    return (this.router.find(type) ?? []).every(({ transport }) => {
      const found = transports[transport];
      return found === undefined || hasRequestReply(found);
    });
  }

  /** @throws MessagingConfigurationError when there is no such store, or several could be meant. */
  storeFor(subject: string, name?: string): StorePatterns {
    return this.#stores.get(storeNamed(subject, this.storeNames, name))!;
  }

  /** @throws SchemaError when tables are missing and may not be made, or are too new for this version. */
  async prepare({ store }: StorePatterns): Promise<void> {
    await store.connect();
    if (store instanceof MemoryStore) return; // it has no tables
    await this.options.migrate?.(store, messagingMigrations);
    await checkSchema(store, messagingMigrations);
  }

  #patternsOf(name: string, store: Store, factory: MessageFactory): StorePatterns {
    return store instanceof MemoryStore
      ? memoryPatterns({ ...this, substitutes: this.substitutes, name, store, factory })
      : databasePatterns({ ...this, name, store, factory });
  }

  #chain(parking: Middleware | undefined): readonly Middleware[] {
    const { clock, logger, instance } = this;
    const { inbox, inboxFilter, poison, storelessInbox } = this.options;
    const circuit = this.circuits.middleware;
    const reply = replyMiddleware({
      source: this.options.source,
      transportOf: (name) => this.transports.connect(name),
      clock,
      logger,
    });
    const confirm = this.callback?.confirm;
    const { outermost, innermost } = this.substitutes ?? {};
    const middleware = outermost ? [outermost, ...this.options.middleware] : this.options.middleware;
    if (this.#stores.size === 0)
      return chainOf({
        middleware,
        clock,
        logger,
        parking: undefined,
        retryBudget: undefined,
        deadLetter: undefined,
        poison: undefined,
        reply,
        circuit,
        refusal: undefined,
        inbox: storelessInbox && storelessInboxMiddleware({ ...inbox, inbox: storelessInbox }),
        confirm,
        innermost,
      });
    const patterns = (name: string): StorePatterns => this.#stores.get(name)!;
    const sinkOf = (name: string): ApplicationDeadLetters => patterns(name).deadLetters;
    const inTransaction = inboxMiddleware({
      ...inbox,
      stores: (name) => patterns(name).store,
      inboxOf: (name) => (inboxFilter ? new FilteredInbox(patterns(name).inbox, inboxFilter) : patterns(name).inbox),
    });
    return chainOf({
      middleware,
      clock,
      logger,
      parking,
      reply,
      confirm,
      innermost,
      circuit,
      poison: poisonMiddlewares({ ...poison, ledgerOf: (name) => patterns(name).ledger, instance, logger }),
      retryBudget: retryBudgetMiddleware({ storeOf: (name) => inDatabase(this.#stores.get(name)?.store), logger }),
      deadLetter: deadLetterMiddleware({ sinkOf, instance, clock, logger }),
      refusal: refusalMiddleware({
        source: this.options.source,
        inTransaction,
        outboxOf: (name) => patterns(name).outbox,
        clock,
        logger,
      }),
      inbox: inTransaction,
    });
  }
}

/** A store in memory has no processes to share a budget with. */
const inDatabase = (store: Store | undefined): Store | undefined => (store instanceof MemoryStore ? undefined : store);
