import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hasTopologyRemoval, quoted, type Transport } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { until } from '@tidings/testing';
import { Pool } from 'pg';
import { messagingMigrations } from '../messaging-runtime';
import { ProcessCrew } from '../process-crew.fixture';
import { transportOf } from '../process-transport.fixture';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, inMemory } from '../test-application.fixture';
import { type Deed, type DeedOrders, Deeds } from './deed-process.fixture';

/** Processes that handle deeds, kept at their number: one that dies is replaced. On a schema, and at RabbitMQ a prefix, of its own. */
export class DeedScene {
  readonly schema = `deeds_${randomBytes(4).toString('hex')}`;
  readonly #pool: Pool;
  #crew: ProcessCrew | undefined;
  #transport!: Transport;
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
    const s = quoted(schema);
    await scene.#pool.query(
      `create table ${s}.run (name text, pid int, attempt int);
       create table ${s}.effect (name text);
       create table ${s}.charge (letter_key bytea, deaths int);
       create function ${s}.charged() returns trigger language plpgsql as
         $$ begin insert into ${s}.charge values (new.letter_key, new.deaths); return new; end $$;
       create trigger charged after update on ${s}.attempt for each row when (new.deaths > old.deaths)
         execute function ${s}.charged()`,
    );
    const transport = transportOf({ schema, ...(rabbit !== undefined && { rabbit }) }, store);
    const app = await boot(
      inMemory({ stores: { default: store }, transports: { main: transport }, roles: ['publish'] }),
    );
    scene.#transport = transport;
    scene.#publisher = app.get(MessagePublisher);
    return scene;
  }

  async start(processes: number, how: Pick<DeedOrders, 'ordered' | 'attempts' | 'batch'>, execArgv: string[] = []) {
    const { url, schema, rabbit } = this;
    const orders: DeedOrders = { url, schema, ...how, ...(rabbit !== undefined && { rabbit }) };
    this.#crew = new ProcessCrew(join(__dirname, 'deed-process.fixture.ts'), orders, execArgv);
    await this.#crew.start(processes);
  }

  /** How the processes died that were not stopped. */
  get deaths(): readonly (number | string | null)[] {
    return this.#crew?.deaths ?? [];
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

  /** With how many deaths a message was charged, for each that was charged with any; the most first. */
  async charges(): Promise<number[]> {
    const { rows } = await this.#pool.query<{ deaths: number }>(
      `select max(deaths) as deaths from ${quoted(this.schema)}.charge group by letter_key order by 1 desc`,
    );
    return rows.map(({ deaths }) => deaths);
  }

  async untilTrue(what: string, condition: () => Promise<boolean>): Promise<void> {
    await until(`${what}; ${this.#crew?.said}`, condition, {
      withinMs: 200_000,
      everyMs: 100,
    });
  }

  async close(): Promise<void> {
    await this.#crew?.end();
    if (hasTopologyRemoval(this.#transport)) await this.#transport.removeTopic(Deeds.topic, ['doers']);
    await closeAll();
    await this.#pool.query(`drop schema ${quoted(this.schema)} cascade`);
    await this.#pool.end();
  }

  async #names(table: string): Promise<string[]> {
    const { rows } = await this.#pool.query<{ name: string }>(
      `select name from ${quoted(this.schema)}.${table} order by name`,
    );
    return rows.map(({ name }) => name);
  }
}
