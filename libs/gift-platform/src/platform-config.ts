import { type Broker, BROKER_NAMES, BROKERS, isBroker, TRANSPORT_NAMES, type TransportName } from '@tidings/brokers';
import { parseOptions } from '@tidings/core';
import type { SigningKeys } from '@tidings/messaging';
import { z } from 'zod';
import type { SenderFaults } from './check/faulty-transport';
import { KILL_STEP, type KillStep, killStepOf } from './check/kill-step';
import type { TransportPlace } from './gift-transport';

const list = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .pipe(z.array(z.enum(values)).min(1));

const addressOf = ({ address: { pattern, example } }: Broker) =>
  z
    .string()
    .regex(pattern, { error: `must be an address as ${example}` })
    .optional();

const count = z.coerce.number().pipe(z.int().min(0));
const share = z.coerce.number().pipe(z.number().min(0).max(0.5));

/** Every variable that the demo's apps read. */
const variables = z
  .object({
    /** The one database: each app's schema, and Tidings' own schema `tidings`. */
    DATABASE_URL: z
      .string({ error: 'is required, as postgres://user:password@host:5432/database' })
      .regex(/^postgres(ql)?:\/\//, {
        error: 'must be an address as postgres://user:password@host:5432/database',
      }),
    /** Of an app with a database of its own (achievements): its tables, its outbox and its inbox. The transport is the others'. */
    OWN_DATABASE_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\//, { error: 'must be an address as postgres://user:password@host:5432/database' })
      .optional(),
    /** Default postgres: the log in the database itself, no broker. */
    TIDINGS_TRANSPORT: z.enum(TRANSPORT_NAMES).default('postgres'),
    /** What shows events on screens goes by this broker, at most once, beside what TIDINGS_TRANSPORT carries. Default: all by that. */
    TIDINGS_ROOMS_TRANSPORT: z.enum(BROKER_NAMES).optional(),
    /** Before every name at the broker, so that two demos can share it. Default "gifts". */
    TIDINGS_PREFIX: z.string().default('gifts'),
    ...Object.fromEntries(BROKER_NAMES.map((name) => [BROKERS[name].variable, addressOf(BROKERS[name])])),
    /** 0: any free one. */
    PORT: z.coerce.number().pipe(z.int().min(0).max(65_535)).default(0),
    /** What this process does, as `publish,relay`. Default: all of it. */
    TIDINGS_ROLES: list(['publish', 'relay', 'handle']).default(['publish', 'relay', 'handle']),
    /** Default never: `npm run demo` migrates before it starts the apps. */
    TIDINGS_MIGRATE: z.enum(['onStart', 'never']).default('never'),
    /** Published and not yet passed on: from here on gift-api refuses new gifts. Default 5,000. */
    GIFT_BACKLOG_LIMIT: z.coerce.number().pipe(z.int().min(1)).default(5_000),
    /** How long a dead reader's or relay's lanes stay its own. Default: the package's. The check takes a short one. */
    GIFT_LEASE_MS: count.optional(),
    /** The least that is printed. Default log; at debug, Tidings tells of every message handled. */
    LOG_LEVEL: z.enum(['error', 'warn', 'log', 'debug']).default('log'),
    /** 1: write `demo.history`, which the check is judged by. */
    DEMO_HISTORY: z.enum(['0', '1']).default('0'),
    /** Tells the rows of one check from those of another. */
    DEMO_RUN: z.string().default(''),
    /** Leave a safeguard out, so that the check can show that it notices. */
    DEMO_SABOTAGE: z.enum(['no-inbox', 'ack-first', 'no-order']).optional(),
    /** Badges only, 1: gifts of viewers called `poison …` fail for good, some others once. */
    DEMO_POISON: z.enum(['0', '1']).default('0'),
    /** 1: gifts are rechecked and confirmed, and callback-service looks after them. */
    DEMO_CALLBACK: z.enum(['0', '1']).default('0'),
    /** Where gift-api answers the callback service by HTTP. Default: it is asked by request-reply. */
    GIFT_RESEND_URL: z.url({ protocol: /^https?$/ }).optional(),
    /** Signs these questions: 32 bytes at least. */
    GIFT_RESEND_KEY: z.string().min(32).optional(),
    /** gift-api only, with DEMO_CALLBACK: so many of the gifts are confirmed to it and then lost. Default 0. */
    DEMO_DROP: share.default(0),
    /** gift-api only, with DEMO_CALLBACK: so many transactions roll back after their recheck went out. Default 0. */
    DEMO_ROLL_BACK: share.default(0),
    /** Chooses which. Default 1. */
    DEMO_SEED: count.default(1),
    /** Ranking only: die by SIGKILL between the commit of the N-th gift and its ack. */
    DEMO_KILL_AFTER: z.coerce.number().pipe(z.int().min(1)).optional(),
    /** Die by SIGKILL at a step of the N-th message of a type, as `handled:points.redeemed:2`; see KillStep. */
    DEMO_KILL_STEP: z.string().regex(KILL_STEP, { error: 'must be a step as handled:points.redeemed:2' }).optional(),
  })
  .superRefine((env, context) => {
    if (env.GIFT_RESEND_URL !== undefined && env.GIFT_RESEND_KEY === undefined)
      context.addIssue({ code: 'custom', path: ['GIFT_RESEND_KEY'], message: 'is required with GIFT_RESEND_URL' });
    for (const choice of ['TIDINGS_TRANSPORT', 'TIDINGS_ROOMS_TRANSPORT'] as const) {
      const name = env[choice];
      if (name === undefined || !isBroker(name)) continue;
      const { variable } = BROKERS[name];
      if (env[variable as keyof typeof env] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [variable], message: `is required with ${choice}=${name}` });
    }
  });

export type Sabotage = 'no-inbox' | 'ack-first' | 'no-order';

/** What an app is started with. */
export interface PlatformConfig {
  readonly databaseUrl: string;
  readonly transport: TransportPlace;
  /** Of what is shown on screens; undefined: the same. */
  readonly rooms: TransportPlace | undefined;
  readonly port: number;
  readonly roles: readonly ('publish' | 'relay' | 'handle')[];
  readonly migrate: 'onStart' | 'never';
  readonly backlogLimit: number;
  readonly leaseMs: number | undefined;
  readonly logLevel: 'error' | 'warn' | 'log' | 'debug';
  readonly history: boolean;
  readonly run: string;
  readonly sabotage: Sabotage | undefined;
  readonly killAfter: number | undefined;
  readonly poison: boolean;
  readonly callback: boolean;
  /** How gift-api is asked by HTTP to send again; undefined: by request-reply. */
  readonly resend: { readonly url: string; readonly keys: SigningKeys } | undefined;
  readonly faults: SenderFaults;
  /** Undefined: the app has none of its own. */
  readonly ownDatabaseUrl: string | undefined;
  readonly killStep: KillStep | undefined;
}

const resendOf = ({ GIFT_RESEND_URL: url, GIFT_RESEND_KEY: key }: z.output<typeof variables>) =>
  url === undefined || key === undefined ? undefined : { url, keys: { secrets: { demo: key } } };

/**
 * The configuration that an environment describes. An empty variable counts as unset: that is what shells and compose files make of a missing one.
 *
 * @throws OptionsError that names the bad variable.
 */
export function platformConfig(environment: NodeJS.ProcessEnv): PlatformConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const env = parseOptions('environment', variables, given);
  const placeOf = (kind: TransportName): TransportPlace =>
    isBroker(kind)
      ? { kind, url: given[BROKERS[kind].variable] ?? '', prefix: env.TIDINGS_PREFIX }
      : { kind: 'postgres' };
  return {
    databaseUrl: env.DATABASE_URL,
    transport: placeOf(env.TIDINGS_TRANSPORT),
    rooms: env.TIDINGS_ROOMS_TRANSPORT && placeOf(env.TIDINGS_ROOMS_TRANSPORT),
    port: env.PORT,
    roles: env.TIDINGS_ROLES,
    migrate: env.TIDINGS_MIGRATE,
    backlogLimit: env.GIFT_BACKLOG_LIMIT,
    leaseMs: env.GIFT_LEASE_MS,
    logLevel: env.LOG_LEVEL,
    history: env.DEMO_HISTORY === '1',
    run: env.DEMO_RUN,
    sabotage: env.DEMO_SABOTAGE,
    killAfter: env.DEMO_KILL_AFTER,
    poison: env.DEMO_POISON === '1',
    callback: env.DEMO_CALLBACK === '1',
    resend: resendOf(env),
    faults: { drop: env.DEMO_DROP, rollBack: env.DEMO_ROLL_BACK, seed: env.DEMO_SEED },
    ownDatabaseUrl: env.OWN_DATABASE_URL,
    killStep: killStepOf(env.DEMO_KILL_STEP),
  };
}
