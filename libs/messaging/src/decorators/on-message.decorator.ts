import 'reflect-metadata';
import type { DeliveryLevel, MessageContract, OnFailure, RateLimit, RetryBudget, RetryPolicy } from '@tidings/core';
import type { CircuitOptions } from '../lifecycle/subscription-circuit';
import type { StoreOf } from '../sharded';
import { completeParams } from './message-params.decorator';

/** How messages are gathered. */
export interface GatherOptions {
  /** Messages at most: 1 to 10,000; with `coalesce` up to 64, the savepoints that PostgreSQL keeps at hand. */
  readonly size: number;
  /**
   * How long the first waits for more, in milliseconds. Default 0: it takes along what is there when it begins. Under load that fills batches all the
   * same, for while one runs the next one gathers; a lone message is not delayed. More than 0 trades latency for fewer, larger transactions.
   */
  readonly waitMs?: number;
}

/** Whom a rate limit counts for. */
export type RateScope = 'process' | 'cluster';

export interface OnMessageOptions {
  /** Consumers of one group share the messages of a topic; every group gets all of them. */
  readonly group: string;
  /** Messages of one key one after the other, across all consumers of the group. Default false. */
  readonly ordered?: boolean;
  /** Messages that one process handles at once. Each holds a connection of the store's pool meanwhile. Default 5. */
  readonly concurrency?: number;
  /**
   * Messages of one key that one process handles at once, of an unordered subscription: a partner that takes two calls at a time for each customer, say.
   * What waits for its key holds no place, so other keys go on. Refused beside `ordered`, batches and `atMostOnce`. Default: no limit of its own.
   */
  readonly keyConcurrency?: number;
  /** Default `effectivelyOnce`; for broadcast `atLeastOnce`, since every process handles a message. */
  readonly level?: DeliveryLevel;
  /** What becomes of a failure. Default `exponential()`: 5 attempts, then the dead letters. None with `atMostOnce`. */
  readonly retry?: RetryPolicy;
  /**
   * How many retries of this subscription there may be, of all processes together: `{ perSecond: 10, burst: 50 }`. Past it a failed message waits longer;
   * none is given up for it, and first attempts are not counted. Nothing is retried at once then (`immediate`). Needs a store. Default: none.
   */
  readonly retryBudget?: RetryBudget;
  /**
   * What the handler may take for one attempt, in milliseconds. Then `context.signal` aborts, the attempt has failed with TimeoutError, what it wrote in
   * its transaction is rolled back and its place is free, whether it heeds the signal or not. Default: as long as it likes.
   */
  readonly timeoutMs?: number;
  /**
   * What an ordered key does when one of its messages fails: `park` (the default with a store), `block` or `skip`. To be chosen where there is no store.
   */
  readonly onFailure?: OnFailure;
  /**
   * True: a dry run of a redrive may run the handler, in a transaction that is rolled back. Say so only of a handler whose effects are all in that
   * transaction. Default false: a dry run goes no further than contract, guards and pipes. Nothing runs with `atMostOnce`, which has no transaction.
   */
  readonly dryRun?: boolean;
  /**
   * Pauses the subscription in this process while its handlers keep failing, and probes with one message whether they work again. Attempts are not
   * burned meanwhile. Said once for a subscription. Default: none.
   */
  readonly circuit?: CircuitOptions;
  /**
   * How urgent a message is by its payload, 0 for the usual ones, higher first: of what waits in a process for a free place, the most urgent begins. Among
   * different keys only; each eighth place goes to what waits longest. Default: the `priority` it was published with.
   */
  readonly priority?: (payload: never) => number;
  /**
   * How many messages may begin in a second; the others wait, unsettled, and no attempt is burned. Said once for a subscription. `scope`: in each process
   * (the default), or in all of the `cluster` together, by tokens in the handler's store. Default: as many as places get free.
   */
  readonly rateLimit?: RateLimit & { readonly scope?: RateScope };
  /** Every process gets every message; nothing is kept for one that is away. Default false. */
  readonly broadcast?: boolean;
  /** Where a group that did not exist before begins. Default `now`. */
  readonly from?: 'now' | 'earliest';
  /** Default: where the contract's route leads. Required when it leads to several transports. */
  readonly transport?: string;
  /**
   * The store whose transaction the handler runs in, or what chooses it for each message (`sharded(…)`). A message that it finds no store for goes to
   * the dead letters of the store `default`, or the first to choose from. Default: the store `default`, or the only one.
   */
  readonly store?: string | StoreOf;
  /**
   * Runs several messages in one transaction, each behind a savepoint: fewer commits for many small handlers. They run one after the other, for a
   * transaction has one connection; so a slow handler is better off without. One that fails is rolled back and settled by itself. Default: each
   * message has a transaction of its own. `concurrency` then counts such transactions, default 1.
   */
  readonly coalesce?: GatherOptions;
}

/** What a decorated method handles. */
export interface OnMessageMetadata {
  readonly contract: MessageContract<unknown, never>;
  readonly options: OnMessageOptions & { readonly batch?: GatherOptions };
  /** It answers requests with what the method returns. */
  readonly reply?: MessageContract<unknown, never>;
  /** It compensates refusals of this contract; contract and group are those of the refusals, once the service's name is known. */
  readonly compensates?: MessageContract<unknown, never>;
}

export const ON_MESSAGE = 'tidings:on-message';

// Nest's ENTRY_PROVIDER_WATERMARK: Nest then hands the class request-scoped and transient APP_* enhancers, as it does for controllers.
const ENTRY_PROVIDER = '__entryProvider__';

/**
 * Handles the messages of a contract: on a method of a provider or controller, more than once if need be. The method takes `(payload, context)`, or
 * whatever `@Payload()`, `@Ctx()` and `@Headers()` say. It succeeds when it returns, unless it returns a Settlement, which then counts.
 */
export function OnMessage(contract: MessageContract<unknown, never>, options: OnMessageOptions): MethodDecorator {
  return handles({ contract, options });
}

export function handles(metadata: OnMessageMetadata): MethodDecorator {
  return (target, method, descriptor: PropertyDescriptor) => {
    completeParams(target, method);
    const known = onMessageOf(descriptor.value);
    // Decorators apply from the last to the first: this keeps the order in which they are read.
    Reflect.defineMetadata(ON_MESSAGE, [metadata, ...known], descriptor.value as object);
    Reflect.defineMetadata(ENTRY_PROVIDER, true, target.constructor);
  };
}

export const onMessageOf = (method: unknown): readonly OnMessageMetadata[] =>
  typeof method === 'function' ? ((Reflect.getMetadata(ON_MESSAGE, method) ?? []) as OnMessageMetadata[]) : [];
