import {
  type DeliveryLevel,
  exponential,
  type HandlerDefinition,
  never,
  type RetryPolicy,
  type Subscription,
} from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import type { OnMessageOptions } from '../decorators/on-message.decorator';
import type { StoreOf } from '../sharded';
import { storeNamed } from '../store-choice';
import { onFailureOf } from './failure-choice';
import type { FoundHandler } from './handler.explorer';
import type { Invoke } from './handler-invoker';

/** Stores to choose from, message by message. */
export interface Shards {
  readonly among: readonly string[];
  readonly of: StoreOf;
}

/** Its `store` is where a message goes of which nobody knows the shard. */
export type PlannedHandler = HandlerDefinition & {
  readonly shards?: Shards;
  /** With `batch`: does the handler take all messages at once, or one after the other in one transaction? */
  readonly together?: 'batch' | 'coalesce';
  /** A dry run may run it. Default false. */
  readonly dryRun?: boolean;
  /** Its guards and pipes, without the handler. */
  readonly check?: Invoke;
};

/** One handler of a subscription. @throws MessagingConfigurationError for what its options cannot mean together. */
export function definitionOf(
  { name, contract, options, invoke, check, reply }: FoundHandler,
  transport: string,
  subscription: Subscription,
  { stores, storelessInbox = false }: { readonly stores: readonly string[]; readonly storelessInbox?: boolean },
): PlannedHandler {
  const level = levelOf(name, options, subscription);
  const shards = typeof options.store === 'function' ? shardsOf(name, stores, options.store) : undefined;
  const named = shards
    ? stores.includes('default')
      ? 'default'
      : shards.among[0]
    : (options.store as string | undefined);
  const store = stores.length > 0 || named !== undefined ? storeNamed(name, stores, named) : '';
  if (level === 'effectivelyOnce' && store === '' && !storelessInbox) {
    throw new MessagingConfigurationError(
      name,
      "expected a store for level effectivelyOnce, found none; add one to messaging.stores or an inbox to messaging.storelessInbox, or choose level: 'atLeastOnce'",
    );
  }
  const retry = retryOf({ options });
  if (retry.maxElapsedMs !== undefined && store === '') {
    throw new MessagingConfigurationError(
      name,
      "expected a store for retry.maxElapsedMs, found none; it is measured by a store's clock, from the first failure that is noted there. Add one to messaging.stores, or limit attempts only",
    );
  }
  const { timeoutMs, retryBudget } = options;
  if (retryBudget && (store === '' || level === 'atMostOnce')) {
    throw new MessagingConfigurationError(
      name,
      `expected a store and retries for retryBudget, found ${store === '' ? 'no store; its tokens are shared there' : 'level atMostOnce'}; leave retryBudget out`,
    );
  }
  const onFailure = onFailureOf(name, options.onFailure, { subscription, level, store });
  const handler = {
    name,
    contract,
    subscription,
    transport,
    store,
    level,
    retry,
    ...(retryBudget && { retryBudget }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(onFailure && { onFailure }),
    ...(shards && { shards }),
    ...(options.dryRun && { dryRun: true }),
    ...(check && { check }),
    ...(reply && { reply }),
    invoke,
  };
  const limits = subscription.batching?.byType.get(contract.type);
  if (!limits) return handler;
  if (level === 'effectivelyOnce' && store === '') {
    throw new MessagingConfigurationError(
      name,
      'expected a store for a batch of level effectivelyOnce, found messaging.storelessInbox only, which takes messages one by one; add a store, or leave batch out',
    );
  }
  if (options.coalesce && (level === 'atMostOnce' || store === '')) {
    throw new MessagingConfigurationError(
      name,
      `expected a handler in a transaction to coalesce, found ${store === '' ? 'no store' : `level ${level}`}; leave coalesce out`,
    );
  }
  return { ...handler, batch: limits, together: options.batch ? 'batch' : 'coalesce' };
}

export const retryOf = ({ options: { retry, level } }: Pick<FoundHandler, 'options'>): RetryPolicy =>
  retry ?? (level === 'atMostOnce' ? never() : exponential());

function shardsOf(name: string, stores: readonly string[], of: StoreOf): Shards {
  const among = of.among ?? stores;
  for (const store of among) storeNamed(name, stores, store);
  if (among.length > 0) return { among, of };
  throw new MessagingConfigurationError(
    name,
    'expected stores to choose from, found none; add them to messaging.stores, and to sharded([…])',
  );
}

function levelOf(name: string, options: OnMessageOptions, { broadcast }: Subscription): DeliveryLevel {
  const level = options.level ?? (broadcast ? 'atLeastOnce' : 'effectivelyOnce');
  if (broadcast && level === 'effectivelyOnce') {
    throw new MessagingConfigurationError(
      name,
      'expected level atLeastOnce or atMostOnce with broadcast, found effectivelyOnce; every process handles a broadcast message, so that it cannot take effect once',
    );
  }
  if (level === 'atMostOnce' && options.retry) {
    throw new MessagingConfigurationError(
      name,
      'expected no retry with level atMostOnce, found one; the message is accepted before the handler runs, so that nothing is left to retry',
    );
  }
  return level;
}
