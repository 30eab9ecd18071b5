import { randomBytes } from 'node:crypto';
import {
  accept,
  createClock,
  defineMessage,
  type Delivery,
  dispatcher,
  fixed,
  type HandlerDefinition,
  type Message,
  type Middleware,
  quoted,
  type Receive,
  retryMiddleware,
  type Settlement,
  silentLogger,
  type Store,
  systemClock,
  TidingsError,
  type TidingsLogger,
} from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { testMessage } from '@tidings/testing';
import { Pool } from 'pg';
import { KeyReleaser } from './key-releaser';
import { parkedKeysMigrations } from './migrations';
import { inboundPlace } from './parked-identity';
import { ParkedKeys } from './parked-keys';
import type { ParkedKeysOptions } from './parked-keys.options';
import { parkingMiddleware } from './parking.middleware';

const subscription = {
  topic: 'gift.sent',
  group: 'badges',
  ordered: true,
  broadcast: false,
  concurrency: 5,
  from: 'now',
} as const;
export const PLACE = inboundPlace(subscription);

const contract = defineMessage('gift.sent', {
  schema: { '~standard': { version: 1, vendor: 'spec', validate: (value: unknown) => ({ value }) } },
});

/** What a spec's handler does with a message: nothing (it took effect), throw, or settle. */
export type Behaviour = (message: Message, attempt: number) => Promise<Settlement | void> | Settlement | void;

/** One process of a group: its chain, and the releaser of its keys. Effects are kept once a message and generation, as an inbox would. */
export class SpecInstance {
  readonly parkedKeys: ParkedKeys;
  readonly receive: Receive;
  readonly releaser: KeyReleaser;

  constructor(store: Store, behaviour: Behaviour, world: World, options: ParkedKeysOptions, logger = silentLogger) {
    this.parkedKeys = new ParkedKeys(store, options);
    const handler: HandlerDefinition = {
      name: 'Spec.handle',
      contract,
      subscription,
      transport: 'main',
      store: 'default',
      level: 'effectivelyOnce',
      retry: fixed({ attempts: 3, immediate: 0, delayMs: 0 }),
      onFailure: 'park',
      invoke: async (_payload, { message, attempt }) => {
        const name = `${message.id}#${message.generation}`;
        world.attempts.push(`${message.id}:${attempt}`);
        if (world.handled.has(name)) return;
        const settlement = (await behaviour(message, attempt)) ?? accept;
        if (settlement.kind === 'accept' && !world.handled.has(name)) {
          world.handled.add(name);
          world.effects.push(message.id);
        }
        return settlement;
      },
    };
    const inner = [world.burying, retryMiddleware(systemClock)];
    const parking = parkingMiddleware({ parkedKeysOf: () => this.parkedKeys, logger });
    this.receive = dispatcher(handler, [parking, ...inner], silentLogger);
    const released = dispatcher(handler, inner, silentLogger);
    this.releaser = new KeyReleaser({
      parkedKeys: this.parkedKeys,
      direction: 'inbound',
      places: () =>
        new Map([
          [PLACE.place, ({ message }, attempt, signal) => released({ message, attempt, redelivered: true }, signal)],
        ]),
      instance: `spec-${randomBytes(2).toString('hex')}`,
      clock: systemClock,
      logger,
    });
  }

  /** One delivery, which must be accepted: an ordered key that is parked blocks nobody. */
  async deliver(message: Message, attempt = 1): Promise<void> {
    const settlement = await this.offer(message, attempt);
    if (settlement.kind === 'accept') return;
    throw new TidingsError('TIDINGS_TEST_DELIVERY', `expected accept, found ${settlement.kind}`, {
      cause: 'error' in settlement ? settlement.error : undefined,
    });
  }

  offer(message: Message, attempt = 1): Promise<Settlement> {
    const delivery: Delivery = { message, attempt, redelivered: attempt > 1 };
    return this.receive(delivery, new AbortController().signal);
  }
}

/** What all processes share beside the database. */
export interface World {
  readonly effects: string[];
  readonly attempts: string[];
  readonly handled: Set<string>;
  readonly letters: Message[];
  readonly burying: Middleware;
}

const worldOf = (): World => {
  const letters: Message[] = [];
  return {
    effects: [],
    attempts: [],
    handled: new Set(),
    letters,
    burying: async ({ message }, next) => {
      const settlement = await next();
      if (settlement.kind !== 'reject') return settlement;
      letters.push(message);
      return { kind: 'accept', buried: settlement.reason };
    },
  };
};

/** A schema of the spec's own, and the processes that share it. */
export class SpecParking {
  world = worldOf();
  readonly #releasers: KeyReleaser[] = [];

  private constructor(
    readonly pool: Pool,
    readonly store: Store,
    readonly schema: string,
  ) {}

  static async open(url: string): Promise<SpecParking> {
    const schema = `parked_${randomBytes(4).toString('hex')}`;
    const pool = new Pool({ connectionString: url, max: 3 });
    const store = pg(pool, { schema, connections: 4 });
    await store.connect();
    await migrate(store, [createClock, ...parkedKeysMigrations]);
    return new SpecParking(pool, store, schema);
  }

  /** Forgets all that was. */
  async clear(): Promise<void> {
    await Promise.all(this.#releasers.splice(0).map((releaser) => releaser.stop()));
    await this.pool.query(`truncate ${quoted(this.schema)}.parked_key cascade`);
    this.world = worldOf();
  }

  instance(
    behaviour: Behaviour,
    options: ParkedKeysOptions = {},
    { store = this.store, logger = silentLogger }: { store?: Store; logger?: TidingsLogger } = {},
  ): SpecInstance {
    const instance = new SpecInstance(store, behaviour, this.world, { pollMs: 50, ...options }, logger);
    this.#releasers.push(instance.releaser);
    return instance;
  }

  /** Of the key's row, or undefined when it is not parked. */
  async row(key = 'k'): Promise<{ state: string; attempts: number; waiting: string[] } | undefined> {
    const { rows } = await this.pool.query<{ state: string; attempts: number; waiting: string[] }>(
      `select state, attempts::int as attempts, array(select message_id from ${quoted(this.schema)}.parked_message m
          where m.key_id = k.id order by position) as waiting
         from ${quoted(this.schema)}.parked_key k where key = $1`,
      [key],
    );
    return rows[0];
  }

  async close(): Promise<void> {
    await this.clear();
    await this.pool.query(`drop schema ${quoted(this.schema)} cascade`);
    await this.store.close();
    await this.pool.end();
  }
}

export const gift = (id: string, key = 'k', more: Partial<Message> = {}): Message => testMessage({ id, key, ...more });
