import { never, parseOptions, type RateLimit, type RetryPolicy, type Subscription } from '@tidings/core';
import { MessagingConfigurationError, namesOf } from '../messaging.errors';
import type { OnMessageOptions, RateScope } from '../decorators/on-message.decorator';
import type { ContractRouter } from '../publishing/contract-router';
import { unknownTransport } from '../publishing/transport-registry';
import type { CircuitOptions } from '../lifecycle/subscription-circuit';
import { refuseTwoParkings, refuseTwoTransports } from './failure-choice';
import { gatheredOf } from './gathering-plan';
import type { FoundHandler } from './handler.explorer';
import { definitionOf, type PlannedHandler, retryOf } from './handler-plan';
import { onMessageSchema } from './on-message.schema';
import { priorityOf } from './priority-choice';
import { saidOnce, sharedOf } from './shared-options';

/** One group on one topic of one transport, and its handlers by message type: several contracts may share a topic. */
export interface PlannedSubscription {
  readonly transport: string;
  readonly subscription: Subscription;
  readonly handlers: readonly PlannedHandler[];
  readonly circuit?: CircuitOptions;
  readonly rateLimit?: RateLimit & { readonly scope?: RateScope };
  /** Messages of one key at once in a process. Undefined: no limit. */
  readonly keyConcurrency?: number;
  /** Deliveries at once that its share of a pool allows, whatever operators say. Undefined: any number. */
  readonly share?: number;
}

export interface PlanSetting {
  readonly router: ContractRouter;
  readonly transports: readonly string[];
  readonly stores: readonly string[];
  /** Is there an inbox for handlers without a store? Default false. */
  readonly storelessInbox?: boolean;
}

/**
 * What to subscribe for the handlers of an application. Pure; everything that could be meant in two ways fails here, before anything connects.
 *
 * @throws MessagingConfigurationError, or OptionsError for a bad option of `@OnMessage`.
 */
export function planSubscriptions(found: readonly FoundHandler[], setting: PlanSetting): PlannedSubscription[] {
  const places = new Map<string, FoundHandler[]>();
  for (const given of found) {
    const handler = { ...given, options: answeringDefaults(given, setting.stores) };
    parseOptions(
      `${decoratorOf(handler)}(${handler.contract.type}) of ${handler.name}`,
      onMessageSchema,
      handler.options,
    );
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
  const keyConcurrency = saidOnce('keyConcurrency', found, ({ options }) => options.keyConcurrency);
  if (keyConcurrency !== undefined) refuseKeyConcurrency(handlers);
  if (rateLimit?.scope === 'cluster' && handlers[0]!.store === '') {
    throw new MessagingConfigurationError(
      handlers[0]!.name,
      "expected a store for rateLimit.scope 'cluster', found none; its tokens are shared there. Add one to messaging.stores, or leave scope out",
    );
  }
  return {
    transport,
    subscription,
    handlers,
    ...(circuit && { circuit }),
    ...(rateLimit && { rateLimit }),
    ...(keyConcurrency !== undefined && { keyConcurrency }),
  };
}

/** The most that the policy, or a rule of it for some errors, allows; 1 of a foreign policy that does not describe itself. */
function attemptsOf(policy: RetryPolicy): number {
  const { attempts = 1, rules = [] } = policy.describe?.() ?? {};
  const figures = [attempts, ...rules.map((rule) => rule['attempts'] ?? 1)];
  return Math.max(...figures.map((figure) => (figure === 'unlimited' ? Infinity : Number(figure))));
}

const decoratorOf = ({ options, reply, compensates }: FoundHandler): string =>
  reply ? '@OnRequest' : compensates ? '@Compensate' : options.batch ? '@OnMessages' : '@OnMessage';

/** Of a responder: a failure is answered, not parked, and not tried again unless asked for. */
function answeringDefaults({ options, reply }: FoundHandler, stores: readonly string[]): OnMessageOptions {
  if (!reply) return options;
  const level = options.level ?? (stores.length > 0 ? 'effectivelyOnce' : 'atLeastOnce');
  return { ...options, level, retry: options.retry ?? never(), ...(options.ordered && { onFailure: 'skip' }) };
}

function refuseKeyConcurrency(handlers: readonly PlannedHandler[]): void {
  for (const { name, subscription, level, batch } of handlers) {
    const found = subscription.ordered
      ? 'an ordered one, whose keys run one message at a time'
      : batch
        ? 'batches, whose messages share one transaction'
        : level === 'atMostOnce'
          ? 'level atMostOnce, which accepts a message before its key has a place'
          : undefined;
    if (!found) continue;
    throw new MessagingConfigurationError(
      name,
      `expected an unordered subscription for keyConcurrency, found ${found}; leave keyConcurrency out`,
    );
  }
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

function transportOf(
  { name, contract, compensates, options }: FoundHandler,
  { router, transports }: PlanSetting,
): string {
  if (options.transport !== undefined) {
    if (transports.includes(options.transport)) return options.transport;
    throw unknownTransport(name, options.transport, transports);
  }
  const [only, ...others] = router.find((compensates ?? contract).type) ?? [];
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
