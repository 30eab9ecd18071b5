import {
  type DeliveryLevel,
  exponential,
  type HandlerDefinition,
  never,
  parseOptions,
  type RateLimit,
  type RetryPolicy,
  type Subscription,
} from '@tidings/core';
import { z } from 'zod';
import { MessagingConfigurationError, namesOf } from '../messaging.errors';
import type { OnMessageOptions } from '../decorators/on-message.decorator';
import type { ContractRouter } from '../publishing/contract-router';
import { unknownTransport } from '../publishing/transport-registry';
import type { StoreOf } from '../sharded';
import { storeNamed } from '../store-choice';
import { priorityOf } from './priority-choice';
import { onFailureOf, refuseTwoParkings, refuseTwoTransports } from './failure-choice';
import type { CircuitOptions } from '../lifecycle/subscription-circuit';
import { gatheredOf, gatherSchema } from './gathering-plan';
import type { FoundHandler } from './handler.explorer';
import type { Invoke } from './handler-invoker';

/** One group on one topic of one transport, and its handlers by message type: several contracts may share a topic. */
export interface PlannedSubscription {
  readonly transport: string;
  readonly subscription: Subscription;
  readonly handlers: readonly PlannedHandler[];
  readonly circuit?: CircuitOptions;
  readonly rateLimit?: RateLimit;
}

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

export interface PlanSetting {
  readonly router: ContractRouter;
  readonly transports: readonly string[];
  readonly stores: readonly string[];
}

type Shared = Pick<Subscription, 'ordered' | 'broadcast' | 'concurrency' | 'from'>;

const SHARED_DEFAULTS: Shared = { ordered: false, broadcast: false, concurrency: 5, from: 'now' };
const SHARED = ['ordered', 'broadcast', 'concurrency', 'from'] as const;

const hasSettle = (value: unknown): boolean => typeof (value as { settle?: unknown } | null)?.settle === 'function';

const isStoreChoice = (value: unknown): boolean => typeof value === 'string' || typeof value === 'function';

const schema = z.strictObject({
  group: z.string({ error: 'expected the name of a group' }).min(1, { error: 'expected the name of a group' }),
  ordered: z.boolean().optional(),
  concurrency: z.number().int().min(1).max(10_000).optional(),
  level: z.enum(['atMostOnce', 'atLeastOnce', 'effectivelyOnce']).optional(),
  retry: z
    .custom(hasSettle, { error: 'expected a retry policy: exponential(), linear(), fixed() or never()' })
    .optional(),
  retryBudget: z
    .strictObject({
      perSecond: z.number().gt(0).max(1_000_000),
      burst: z.number().min(1).max(1_000_000).optional(),
      maxWaitMs: z.number().int().min(1).optional(),
      name: z.string().min(1).max(1_000).optional(),
    })
    .optional(),
  timeoutMs: z.number().int().min(1).optional(),
  onFailure: z.enum(['park', 'block', 'skip']).optional(),
  dryRun: z.boolean().optional(),
  circuit: z
    .strictObject({
      failures: z.number().int().min(1).optional(),
      ratio: z.number().gt(0).lt(1).optional(),
      of: z.number().int().min(2).optional(),
      openMs: z.number().int().min(1).optional(),
    })
    .optional(),
  priority: z
    .custom((value) => typeof value === 'function', { error: 'expected a function from a payload to a number' })
    .optional(),
  rateLimit: z.strictObject({ perSecond: z.number().positive(), burst: z.number().min(1).optional() }).optional(),
  broadcast: z.boolean().optional(),
  from: z.enum(['now', 'earliest']).optional(),
  transport: z.string().optional(),
  store: z
    .custom(isStoreChoice, { error: 'expected the name of a store, or a function from a message to one' })
    .optional(),
  batch: gatherSchema(10_000).optional(),
  coalesce: gatherSchema(64).optional(),
});

/**
 * What to subscribe for the handlers of an application. Pure; everything that could be meant in two ways fails here, before anything connects.
 *
 * @throws MessagingConfigurationError, or OptionsError for a bad option of `@OnMessage`.
 */
export function planSubscriptions(found: readonly FoundHandler[], setting: PlanSetting): PlannedSubscription[] {
  const places = new Map<string, FoundHandler[]>();
  for (const given of found) {
    const handler = { ...given, options: answeringDefaults(given, setting.stores) };
    parseOptions(`${decoratorOf(handler)}(${handler.contract.type}) of ${handler.name}`, schema, handler.options);
    const key = JSON.stringify([transportOf(handler, setting), handler.contract.topic, handler.options.group]);
    places.set(key, [...(places.get(key) ?? []), handler]);
  }
  const planned = [...places.values()].map((handlers) => planOne(handlers, setting));
  refuseTwoTransports(planned);
  return planned;
}

function planOne(found: readonly FoundHandler[], setting: PlanSetting): PlannedSubscription {
  const [first] = found;
  refuseTwins(found);
  const { contract, options } = first!;
  const attempts = Math.max(...found.map((handler) => attemptsOf(retryOf(handler))));
  const subscription: Subscription = {
    topic: contract.topic,
    group: options.group,
    ...gatheredOf(found, sharedOf(found)),
    attempts,
    ...priorityOf(found),
  };
  const transport = transportOf(first!, setting);
  const handlers = found.map((handler) => definitionOf(handler, transport, subscription, setting));
  refuseTwoParkings(handlers);
  const circuit = saidOnce('circuit', found, ({ options }) => options.circuit);
  const rateLimit = saidOnce('rateLimit', found, ({ options }) => options.rateLimit);
  return { transport, subscription, handlers, ...(circuit && { circuit }), ...(rateLimit && { rateLimit }) };
}

function definitionOf(
  { name, contract, options, invoke, check, reply }: FoundHandler,
  transport: string,
  subscription: Subscription,
  { stores }: PlanSetting,
): PlannedHandler {
  const level = levelOf(name, options, subscription);
  const shards = typeof options.store === 'function' ? shardsOf(name, stores, options.store) : undefined;
  const named = shards
    ? stores.includes('default')
      ? 'default'
      : shards.among[0]
    : (options.store as string | undefined);
  const store = stores.length > 0 || named !== undefined ? storeNamed(name, stores, named) : '';
  if (level === 'effectivelyOnce' && store === '') {
    throw new MessagingConfigurationError(
      name,
      "expected a store for level effectivelyOnce, found none; add one to messaging.stores, or choose level: 'atLeastOnce'",
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
  if (options.coalesce && (level === 'atMostOnce' || store === '')) {
    throw new MessagingConfigurationError(
      name,
      `expected a handler in a transaction to coalesce, found ${store === '' ? 'no store' : `level ${level}`}; leave coalesce out`,
    );
  }
  return { ...handler, batch: limits, together: options.batch ? 'batch' : 'coalesce' };
}

const retryOf = ({ options: { retry, level } }: Pick<FoundHandler, 'options'>): RetryPolicy =>
  retry ?? (level === 'atMostOnce' ? never() : exponential());

/** The most that the policy, or a rule of it for some errors, allows; 1 of a foreign policy that does not describe itself. */
function attemptsOf(policy: RetryPolicy): number {
  const { attempts = 1, rules = [] } = policy.describe?.() ?? {};
  const figures = [attempts, ...rules.map((rule) => rule['attempts'] ?? 1)];
  return Math.max(...figures.map((figure) => (figure === 'unlimited' ? Infinity : Number(figure))));
}
const decoratorOf = ({ options, reply }: FoundHandler): string =>
  reply ? '@OnRequest' : options.batch ? '@OnMessages' : '@OnMessage';

/** Of a responder: a failure is answered, not parked, and not tried again unless asked for. */
function answeringDefaults({ options, reply }: FoundHandler, stores: readonly string[]): OnMessageOptions {
  if (!reply) return options;
  const level = options.level ?? (stores.length > 0 ? 'effectivelyOnce' : 'atLeastOnce');
  return { ...options, level, retry: options.retry ?? never(), ...(options.ordered && { onFailure: 'skip' }) };
}

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

/** Several handlers of one subscription: what one says holds for all, and two may not say different things. */
function sharedOf(found: readonly FoundHandler[]): Shared {
  const shared: Record<string, unknown> = { ...SHARED_DEFAULTS };
  for (const option of SHARED) {
    const [one, ...others] = found.filter(({ options }) => options[option] !== undefined);
    if (!one) continue;
    shared[option] = one.options[option];
    const other = others.find(({ options }) => options[option] !== one.options[option]);
    if (other) {
      throw new MessagingConfigurationError(
        `group ${one.options.group} on ${one.contract.topic}`,
        `expected one value of ${option} for its subscription, found ${String(one.options[option])} at ${one.name} and ` +
          `${String(other.options[option])} at ${other.name}; say it once, or use two groups`,
      );
    }
  }
  return shared as unknown as Shared;
}

function saidOnce<Option>(
  name: 'circuit' | 'rateLimit',
  found: readonly FoundHandler[],
  optionOf: (handler: FoundHandler) => Option | undefined,
): Option | undefined {
  const [one, other] = found.filter((handler) => optionOf(handler) !== undefined);
  if (!one || !other) return one && optionOf(one);
  throw new MessagingConfigurationError(
    `group ${other.options.group} on ${other.contract.topic}`,
    `expected one ${name} for its subscription, found one at ${one.name} and one at ${other.name}; say it once`,
  );
}

function refuseTwins(found: readonly FoundHandler[]): void {
  for (const [index, handler] of found.entries()) {
    const twin = found.slice(0, index).find(({ contract }) => contract.type === handler.contract.type);
    if (!twin) continue;
    throw new MessagingConfigurationError(
      `group ${handler.options.group} on ${handler.contract.topic}`,
      `expected one handler for ${handler.contract.type}, found ${placeOf(twin)} and ${placeOf(handler)}; ` +
        'give each a group of its own, or provide the class in one module only',
    );
  }
}

const placeOf = ({ name, module }: FoundHandler): string => `${name} (in ${module})`;

function transportOf({ name, contract, options }: FoundHandler, { router, transports }: PlanSetting): string {
  if (options.transport !== undefined) {
    if (transports.includes(options.transport)) return options.transport;
    throw unknownTransport(name, options.transport, transports);
  }
  const [only, ...others] = router.find(contract.type) ?? [];
  if (only && others.length === 0) return only.transport;
  const choice = only
    ? `its route leads to ${namesOf([only, ...others].map(({ transport }) => transport))}`
    : `there are several (${namesOf(transports)}) and no route matches`;
  throw new MessagingConfigurationError(
    name,
    `expected one transport to receive ${contract.type} from; ${choice}. Add { transport: '${only?.transport ?? transports[0]}' } to @OnMessage` +
      (only ? '' : `, or route('${contract.type}').to('${transports[0]}') to messaging.routes`),
  );
}
