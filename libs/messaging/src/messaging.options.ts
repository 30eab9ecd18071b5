import type { Middleware, Migration, Reclaimer, Store, TidingsLogger, Transport } from '@tidings/core';
import { OptionsError, parseOptions } from '@tidings/core';
import {
  type DeadLetterRetentionOptions,
  deadLetterRetentionOptions,
  type PoisonOptions,
  type ResolvedDeadLetterRetentionOptions,
} from '@tidings/dead-letter';
import type { InboxFilter, InboxOptions, InboxStore } from '@tidings/inbox';
import type { ParkedKeysOptions } from '@tidings/parked-keys';
import { type CallbackOptions, callbackOptions, type ResolvedCallbackOptions } from '@tidings/callback';
import { type CheckBackOptions, checkBackOptions, type OutboxRelayOptions, type ResolvedCheckBackOptions } from '@tidings/outbox'; // prettier-ignore
import { type ReclaimOptions, reclaimOptions, type ResolvedReclaimOptions } from '@tidings/reclaim';
import { z } from 'zod';
import { type BacklogGateOptions, checkBacklogGateOptions } from './backlog/backlog-gate.options';
import { namesOf } from './messaging.errors';
import type { Expectation } from './publishing/expectation';
import { Route } from './publishing/route';

/**
 * What a process does. `publish` starts nothing by itself: it stands for a process that only publishes, which needs no broker as long as it goes
 * through an outbox. `relay` passes on what outboxes hold; `handle` runs the handlers.
 */
export type Role = 'publish' | 'relay' | 'handle';

/** Creates or updates the tables of a store; `migrate` of @tidings/database is one. */
export type Migrate = (store: Store, migrations: readonly Migration[]) => Promise<unknown>;

export interface MessagingOptions {
  /** The service's name; on every message that it publishes. */
  readonly source: string;
  /** Databases by name, as `{ default: typeorm(dataSource) }`. Without one there is no outbox, no inbox and no dead letter of ours. Default none. */
  readonly stores?: Readonly<Record<string, Store>>;
  /** Brokers by name, as `{ main: rabbitmq({ … }) }`. */
  readonly transports: Readonly<Record<string, Transport>>;
  /** Which contracts go to which transports; the first that matches counts. Default: everything to the only transport. */
  readonly routes?: readonly Route[];
  /**
   * Groups that contracts must reach, as `[{ contract: GiftSent, groups: ['ranking', 'revenue'] }]`: a broker confirms what reached one group, whoever else is
   * missing. Watched by processes that relay, or that publish without a store; a group that does not exist is warned of and makes `MessagingHealth` down until
   * it does. It stops no publish. Default none: that is what `route: 'optional'` goes with.
   */
  readonly expects?: readonly Expectation[];
  /** Default all three. `[]` switches everything off: nothing connects, for tests of an application's other parts. */
  readonly roles?: readonly Role[];
  /** `migrate` of @tidings/database, to create and update Tidings' tables at start. Default: never; the process refuses to start without tables. */
  readonly migrate?: Migrate;
  /** Around every handler, outermost first, outside of Tidings' own. Default none. */
  readonly middleware?: readonly Middleware[];
  /** How long a stop waits for handlers that run. Default 10,000. */
  readonly drainMs?: number;
  readonly relay?: OutboxRelayOptions;
  readonly inbox?: InboxOptions;
  /** A first look before the inboxes of `stores`, as `redisInboxFilter({ client })` of @tidings/redis-inbox; batches do without. Needs a store. Default none. */
  readonly inboxFilter?: InboxFilter;
  /**
   * What remembers the messages of an application without `stores`, as `redisInbox({ client })` of @tidings/redis-inbox: its handlers may be `effectivelyOnce`
   * then, without a transaction, and as far as that inbox promises. Default none.
   */
  readonly storelessInbox?: Pick<InboxStore, 'once'>;
  /** How long and how many keys of ordered subscriptions and destinations may be parked. */
  readonly parking?: ParkedKeysOptions;
  /** When undecided messages of `outbox.prepare` are asked for. */
  readonly checkBack?: CheckBackOptions;
  /** How often what dead workers hold is taken back, and the application's own Reclaimers, which run with every store's. */
  readonly reclaim?: ReclaimOptions & { readonly reclaimers?: readonly Reclaimer[] };
  /** For how long what dead letters leave behind is kept. A letter that waits for somebody is never deleted. */
  readonly deadLetters?: DeadLetterRetentionOptions;
  /**
   * How this service takes part in the callback service's proof of consumption, as a sender and as a consumer: `{}` for the defaults. Default: not at all.
   */
  readonly callback?: CallbackOptions & {
    /**
     * Who is to confirm messages of a contract, as `[{ contract: GiftSent, groups: ['ranking'] }]`, whoever else has subscribed. A call's own `groups` win over
     * it. Default: the groups that the callback service knows.
     */
    readonly expected?: readonly Expectation[];
  };
  /** What the guard BacklogGate goes by. Default none: without it that guard fails, and `backlogGate({ … })` has options of its own. */
  readonly backlogGate?: BacklogGateOptions;
  /** When a message that kills its process is dead-lettered. Needs a store. */
  readonly poison?: PoisonOptions;
  /** Default: Nest's logger, with the context "Tidings". */
  readonly logger?: TidingsLogger;
}

export type CheckedMessagingOptions = Readonly<
  Required<
    Omit<
      MessagingOptions,
      | 'migrate'
      | 'logger'
      | 'relay'
      | 'inbox'
      | 'inboxFilter'
      | 'storelessInbox'
      | 'parking'
      | 'poison'
      | 'backlogGate'
      | 'callback'
      | 'checkBack'
      | 'reclaim'
      | 'deadLetters'
    >
  > &
    Pick<
      MessagingOptions,
      'migrate' | 'logger' | 'relay' | 'inbox' | 'inboxFilter' | 'storelessInbox' | 'parking' | 'poison' | 'backlogGate'
    > & {
      readonly callback?: ResolvedCallbackOptions & { readonly expected: readonly Expectation[] };
      readonly checkBack: ResolvedCheckBackOptions;
      readonly deadLetters: ResolvedDeadLetterRetentionOptions;
      readonly reclaim: ResolvedReclaimOptions & { readonly reclaimers: readonly Reclaimer[] };
    }
>;

const found = (value: unknown): string =>
  value === null
    ? 'null'
    : typeof value === 'object'
      ? `an object (${value.constructor?.name ?? 'bare'})`
      : typeof value;

/** A port is told by its methods: two copies of a package, or an adapter of one's own, must do. */
const port = <T>(what: string, methods: readonly string[], way: string) =>
  z.unknown().transform((value, context): T => {
    const missing = methods.filter(
      (name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] !== 'function',
    );
    if (missing.length === 0) return value as T;
    context.addIssue({
      code: 'custom',
      message: `expected a ${what} (${way}), found ${found(value)} without ${missing.join(', ')}`,
    });
    return z.NEVER;
  });

const isFunction = (value: unknown): boolean => typeof value === 'function';
const functionOf = <T>(what: string) => z.custom<T>(isFunction, { error: `expected ${what}` });

const isContract = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && 'topic' in value;

const expectation = z.strictObject({
  contract: z.custom<Expectation['contract']>(isContract, { error: 'expected a contract of defineMessage' }),
  groups: z
    .array(z.string().min(1, { error: 'expected the name of a group' }), {
      error: "expected groups, as ['ranking']",
    })
    .min(1, { error: 'expected at least one group, found none' }),
});

/** One entry a contract: of two the reader could not tell which counts. */
const expectedOnce = z
  .array(expectation)
  .superRefine((entries, context) => {
    for (const [index, { contract }] of entries.entries()) {
      if (entries.findIndex((one) => one.contract.type === contract.type) === index) continue;
      context.addIssue({ code: 'custom', path: [index, 'contract'], message: `expected one entry for ${contract.type}, found another; name all of its groups in one` }); // prettier-ignore
    }
  })
  .default([]);

const schema = z.strictObject({
  source: z
    .string({ error: 'expected the name of this service' })
    .min(1, { error: 'expected the name of this service' }),
  stores: z
    .record(
      z.string(),
      port<Store>('Store', ['query', 'run', 'join', 'listen', 'connect', 'close'], 'typeorm(dataSource) or pg(pool)'),
    )
    .default({}),
  transports: z
    .record(
      z.string(),
      port<Transport>(
        'Transport',
        ['connect', 'publish', 'subscribe', 'close', 'health'],
        'rabbitmq({ … }), postgres({ … })',
      ),
      { error: 'expected transports by name, as { main: rabbitmq({ … }) }' },
    )
    .refine((transports) => Object.keys(transports).length > 0, {
      error: 'expected at least one transport, found none',
    }),
  routes: z
    .array(z.custom<Route>((value) => value instanceof Route, { error: "expected route('…').to('…')" }))
    .default([]),
  expects: z.array(expectation).default([]),
  roles: z
    .array(z.enum(['publish', 'relay', 'handle'], { error: 'expected publish, relay or handle' }))
    .default(['publish', 'relay', 'handle']),
  migrate: functionOf<Migrate>('the function `migrate` of @tidings/database, or nothing').optional(),
  middleware: z.array(functionOf<Middleware>('a middleware (a function)')).default([]),
  drainMs: z.number().int().min(0).default(10_000),
  relay: z.custom<OutboxRelayOptions>().optional(),
  inbox: z.custom<InboxOptions>().optional(),
  inboxFilter: port<InboxFilter>(
    'InboxFilter',
    ['start', 'stop', 'known', 'remember'],
    'redisInboxFilter({ client })',
  ).optional(),
  storelessInbox: port<Pick<InboxStore, 'once'>>('InboxStore', ['once'], 'redisInbox({ client })').optional(),
  parking: z.custom<ParkedKeysOptions>().optional(),
  checkBack: checkBackOptions.prefault({}),
  reclaim: reclaimOptions
    .extend({ reclaimers: z.array(port<Reclaimer>('Reclaimer', ['reclaim'], '{ name, reclaim() }')).default([]) })
    .prefault({}),
  deadLetters: deadLetterRetentionOptions.prefault({}),
  callback: callbackOptions.extend({ expected: expectedOnce }).optional(),
  backlogGate: z.custom<BacklogGateOptions>().optional(),
  poison: z.strictObject({ after: z.number().int().min(1).optional() }).optional(),
  logger: port<TidingsLogger>('TidingsLogger', ['debug', 'info', 'warn', 'error'], 'nestLogger(), pino').optional(),
});

/** @throws OptionsError that names the bad option by its path below `messaging`. */
export function checkMessagingOptions(options: MessagingOptions): CheckedMessagingOptions {
  const checked = parseOptions('messaging', schema, options) as CheckedMessagingOptions;
  if (checked.backlogGate) checkBacklogGateOptions('messaging.backlogGate', checked.backlogGate);
  const stores = Object.keys(checked.stores);
  if (checked.inboxFilter && stores.length === 0)
    throw new OptionsError('messaging.inboxFilter', 'expected a store whose inbox decides behind it, found none; add one to messaging.stores, or use messaging.storelessInbox'); // prettier-ignore
  if (checked.storelessInbox && stores.length > 0)
    throw new OptionsError('messaging.storelessInbox', `expected no store, found ${namesOf(stores)}; a store has an inbox of its own, which commits with the handler's effect: leave storelessInbox out`); // prettier-ignore
  const transports = Object.keys(checked.transports);
  checked.routes.forEach((route, index) => {
    const unknown = route.transports.find((name) => !transports.includes(name));
    if (unknown !== undefined) {
      throw new OptionsError(
        `messaging.routes.${index}`,
        `route "${route.pattern}" leads to "${unknown}", which is no transport of messaging.transports (${namesOf(transports)})`,
      );
    }
  });
  return checked;
}
