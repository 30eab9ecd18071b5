import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { quoted, type Transport } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { until } from '@tidings/testing';
import { connect } from 'amqplib';
import { Pool } from 'pg';
import { messagingMigrations } from '../messaging-runtime';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, inMemory } from '../test-application.fixture';
import { type Deed, type DeedOrders, Deeds, transportOf } from './deed-process.fixture';

const BOOT_MS = 60_000;

/** Processes that handle deeds, kept at their number: one that dies is replaced. On a schema, and at RabbitMQ a prefix, of its own. */
export class DeedScene {
  readonly schema = `deeds_${randomBytes(4).toString('hex')}`;
  readonly #pool: Pool;
  readonly #children = new Set<ChildProcess>();
  /** How the processes died that were not stopped. */
  readonly deaths: (number | string | null)[] = [];
  #failure = '';
  #ready = 0;
  #ending = false;
  #publisher!: MessagePublisher;

  private constructor(
    private readonly url: string,
    private readonly rabbit: string | undefined,
  ) {
    this.#pool = new Pool({ connectionString: url, max: 2 });
  }

  static async open(url: string, rabbit?: string): Promise<DeedScene> {
    const scene = new DeedScene(url, rabbit);
    const { schema } = scene;
    const store = pg(scene.#pool, { schema, connections: 2 });
    await migrate(store, messagingMigrations);
    await scene.#pool.query(
      `create table ${quoted(schema)}.run (name text, pid int, attempt int); create table ${quoted(schema)}.effect (name text)`,
    );
    const transport: Transport = transportOf({ schema, ...(rabbit !== undefined && { rabbit }) }, store);
    const app = await boot(
      inMemory({ stores: { default: store }, transports: { main: transport }, roles: ['publish'] }),
    );
    scene.#publisher = app.get(MessagePublisher);
    return scene;
  }

  async start(processes: number, orders: Pick<DeedOrders, 'ordered' | 'attempts'>, execArgv: string[] = []) {
    for (let n = 0; n < processes; n++) this.#fork(orders, execArgv);
    await until(`${processes} processes`, () => this.#ready >= processes, { withinMs: BOOT_MS });
  }

  async publish(deeds: readonly { readonly name: string; readonly deed: Deed }[]): Promise<void> {
    await this.#publisher.publishAll(deeds.map((payload) => ({ contract: Deeds, payload })));
  }

  /** Names, one for each run of the handler. */
  runs(): Promise<string[]> {
    return this.#names('run');
  }

  effects(): Promise<string[]> {
    return this.#names('effect');
  }

  async attemptsOf(name: string): Promise<number[]> {
    const { rows } = await this.#pool.query<{ attempt: number }>(
      `select attempt from ${quoted(this.schema)}.run where name = $1 order by attempt`,
      [name],
    );
    return rows.map(({ attempt }) => attempt);
  }

  async letters(): Promise<{ name: string; reason: string; attempts: number }[]> {
    const { rows } = await this.#pool.query<{ name: string; reason: string; attempts: string }>(
      `select convert_from(payload, 'UTF8')::json ->> 'name' as name, reason, attempts from ${quoted(this.schema)}.dead_letter order by 1`,
    );
    return rows.map((row) => ({ ...row, attempts: Number(row.attempts) }));
  }

  async suspects(): Promise<number> {
    return (await this.#pool.query(`select 1 from ${quoted(this.schema)}.attempt`)).rowCount ?? 0;
  }

  async untilTrue(what: string, condition: () => Promise<boolean>): Promise<void> {
    await until(`${what}; a process said: ${this.#failure.slice(-2_000)}`, condition, {
      withinMs: 100_000,
      everyMs: 100,
    });
  }

  async close(): Promise<void> {
    this.#ending = true;
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await closeAll();
    if (this.rabbit !== undefined) await this.#deleteQueues(this.rabbit);
    await this.#pool.query(`drop schema ${quoted(this.schema)} cascade`);
    await this.#pool.end();
  }

  #fork(orders: Pick<DeedOrders, 'ordered' | 'attempts'>, execArgv: string[]): void {
    const child = fork(join(__dirname, 'deed-process.fixture.ts'), {
      execArgv: ['--require', join(__dirname, '../../../testing/register-sources.cjs'), ...execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#children.add(child);
    child.stderr?.on('data', (chunk: Buffer) => (this.#failure += chunk.toString('utf8')));
    child.once('message', () => (this.#ready += 1));
    child.once('exit', (code, signal) => {
      if (this.#ending) return;
      this.deaths.push(signal ?? code);
      this.#fork(orders, execArgv);
    });
    const { url, schema, rabbit } = this;
    child.send({ url, schema, ...orders, ...(rabbit !== undefined && { rabbit }) } satisfies DeedOrders);
  }

  async #names(table: string): Promise<string[]> {
    const { rows } = await this.#pool.query<{ name: string }>(
      `select name from ${quoted(this.schema)}.${table} order by name`,
    );
    return rows.map(({ name }) => name);
  }

  async #deleteQueues(rabbit: string): Promise<void> {
    const connection = await connect(rabbit);
    const channel = await connection.createChannel();
    const topic = `${this.schema}.deed.asked`;
    const group = `${topic}/doers`;
    const lanes = Array.from({ length: 4 }, (_, n) => `${group}/${n}of4`);
    for (const queue of [group, ...lanes, `${group}/dead`, `${group}/shape`, `${group}/delay/20`])
      await channel.deleteQueue(queue);
    for (const exchange of [group, topic]) await channel.deleteExchange(exchange);
    await connection.close();
  }
}
