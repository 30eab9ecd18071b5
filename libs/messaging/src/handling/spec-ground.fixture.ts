import { randomBytes } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import { quoted, type Store, type Transport } from '@tidings/core';
import { migrate, pg, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { server } from '@tidings/testing';
import { connect } from 'amqplib';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { MessagingModule } from '../messaging.module';
import type { MessagingOptions } from '../messaging.options';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { boot, type Gift, GiftSent, inMemory } from '../test-application.fixture';

export const STORES = ['pg', 'typeorm'] as const;
export const TRANSPORTS = ['memory', 'postgres', ...(server('rabbitmq') ? (['rabbitmq'] as const) : [])] as const;
const ORDERED_QUEUES = 2;

/** A schema of the spec's own with a table of effects in the order of their commits, the stores on it, and transports; `close` drops all. */
export class SpecGround {
  readonly schema = `batch_${randomBytes(4).toString('hex')}`;
  readonly #pool: Pool;
  readonly #dataSource: DataSource;
  readonly #pools: Pool[] = [];
  readonly #stores: Store[] = [];
  readonly #queues = new Map<string, string[]>();
  #applications = 0;

  private constructor(private readonly url: string) {
    const options = `-c search_path=${this.schema}`;
    this.#pool = new Pool({ connectionString: url, max: 4, options });
    this.#pool.on('error', () => undefined);
    this.#dataSource = new DataSource({ type: 'postgres', url, extra: { max: 4, options } });
  }

  static async at(url: string): Promise<SpecGround> {
    const ground = new SpecGround(url);
    await ground.#dataSource.initialize();
    await ground.query(`create schema ${quoted(ground.schema)}`);
    await ground.query('create table effect (at serial, room text, coins int, constraint small check (coins < 1000))');
    await ground.query('create table closing (room text)');
    return ground;
  }

  async query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query(text, values)).rows as Row[];
  }

  /** `connections`: in a pool of its own. */
  store(kind: (typeof STORES)[number] = 'pg', connections?: number): Store {
    const store = this.#open(kind, connections);
    this.#stores.push(store);
    return store;
  }

  /** Each application has a namespace of its own. */
  transport(
    kind: (typeof TRANSPORTS)[number],
    store: Store,
    groups: Readonly<Record<string, string | readonly string[]>>,
  ): Transport {
    this.#applications += 1;
    if (kind === 'memory') return memory({ broker: new MemoryBroker() });
    for (const [topic, group] of Object.entries(groups)) this.#queues.set(`${this.namespace}.${topic}`, [group].flat());
    return this.twin(kind, store);
  }

  #open(kind: (typeof STORES)[number], connections: number | undefined): Store {
    const { schema } = this;
    if (kind === 'typeorm') return typeorm(this.#dataSource, { schema });
    if (connections === undefined) return pg(this.#pool, { schema });
    const pool = new Pool({ connectionString: this.url, max: connections, options: `-c search_path=${schema}` });
    pool.on('error', () => undefined);
    this.#pools.push(pool);
    return pg(pool, { schema });
  }

  /** As another process of the last application has it. */
  twin(
    kind: Exclude<(typeof TRANSPORTS)[number], 'memory'>,
    store: Store,
    more: { readonly maxMessageBytes?: number } = {},
  ) {
    if (kind === 'postgres') return postgres({ store, namespace: this.namespace, ...more });
    return rabbitmq({ urls: server('rabbitmq')!, prefix: this.namespace, orderedQueues: ORDERED_QUEUES, ...more });
  }

  /** Of the last application, at its transport. */
  get namespace(): string {
    return `${this.schema}_${this.#applications}`;
  }

  async start(store: Store, transport: Transport, providers: Provider[], more: Partial<MessagingOptions> = {}) {
    const given = { stores: { default: store }, transports: { main: transport }, migrate, ...more };
    const app = await boot(MessagingModule.forRoot(inMemory(given)), { providers });
    const outbox = app.get(Outbox);
    /** In one transaction, in this order. */
    const send = (gifts: readonly Gift[]) =>
      store.run(async (transaction) => {
        for (const gift of gifts) await outbox.within(transaction).publish(GiftSent, gift);
      });
    return { app, outbox, send, letters: app.get(ApplicationDeadLetters) };
  }

  async effects(room?: string): Promise<number[]> {
    const rows = await this.query<{ coins: number }>(
      'select coins from effect where $1::text is null or room = $1 order by at',
      [room ?? null],
    );
    return rows.map(({ coins }) => coins);
  }

  async close(): Promise<void> {
    await this.#pool.query(`drop schema ${quoted(this.schema)} cascade`);
    for (const store of this.#stores) await store.close(); // a transport's store is its maker's to close
    for (const pool of [...this.#pools, this.#pool]) await pool.end();
    await this.#dataSource.destroy();
    if (this.#queues.size === 0) return;
    const connection = await connect(server('rabbitmq')!);
    const channel = await connection.createChannel();
    for (const [topic, groups] of this.#queues) {
      for (const group of groups.map((name) => `${topic}/${name}`)) {
        const lanes = Array.from({ length: ORDERED_QUEUES }, (_, n) => `${group}/${n}of${ORDERED_QUEUES}`);
        for (const queue of [group, `${group}/dead`, `${group}/shape`, ...lanes]) await channel.deleteQueue(queue);
        await channel.deleteExchange(group);
      }
      await channel.deleteExchange(topic);
    }
    await connection.close();
  }
}
