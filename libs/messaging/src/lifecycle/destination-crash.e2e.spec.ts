import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { quoted } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { memory } from '@tidings/memory';
import type { Outbox } from '@tidings/outbox';
import { describeOn, until } from '@tidings/testing';
import { Pool } from 'pg';
import { getOutboxToken } from '../decorators/inject-outbox.decorator';
import { messagingMigrations } from '../messaging-runtime';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { boot, closeAll, inMemory } from '../test-application.fixture';
import { type Doom, Steps } from '../handling/parked-order-process.fixture';

const ROOMS = ['a', 'b', 'c'];
const WAVE = 3;
const patient = { withinMs: 60_000, everyMs: 100 };

/** Each publish, and each statement by which a message is buried, its key parked, followed, asked for, claimed, read, postponed and left. */
const STEPS = ['publish', 'dead_letter" (', 'park_key"(', 'follow_parked_key"(', 'with recursive places', 'with page as', 'with held as', 'set state = case', 'leave_parked_key"(']; // prettier-ignore
const DOOMS: Doom[] = STEPS.flatMap((text) => [
  { text, when: 'unsent' },
  { text, when: 'unheard' },
]);

describeOn('postgres', 'two relays whose destination refuses messages', (url) => {
  const schema = `relays_${randomBytes(4).toString('hex')}`;
  const children = new Set<ChildProcess>();
  const deaths: (string | number | null)[] = [];
  let said = '';
  let ready = 0;
  let ending = false;
  let pool: Pool;
  let outbox: Outbox;
  let letters: ApplicationDeadLetters;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 3 });
    const store = pg(pool, { schema, connections: 2 });
    await migrate(store, messagingMigrations);
    await pool.query(
      `create table ${quoted(schema)}.run (room text, n int, runs int, primary key (room, n));
       create table ${quoted(schema)}.sent (seq bigserial, room text, n int);
       create table ${quoted(schema)}.mended (n int)`,
    );
    const app = await boot(inMemory({ stores: { default: store }, transports: { main: memory() }, roles: ['publish'] })); // prettier-ignore
    outbox = app.get<Outbox>(getOutboxToken());
    letters = app.get(ApplicationDeadLetters);
    for (let n = 0; n < 2; n++) begin();
    await until(`two processes; ${said}`, () => ready === 2, patient);
  }, 120_000);

  afterAll(async () => {
    ending = true;
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await closeAll();
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await pool.end();
  }, 60_000);

  function begin(): void {
    const child = fork(join(__dirname, 'destination-crash-process.fixture.ts'), {
      execArgv: ['--require', join(__dirname, '../../../testing/register-sources.cjs')],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    children.add(child);
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.once('message', () => (ready += 1));
    child.once('exit', (code, signal) => {
      children.delete(child);
      if (ending) return;
      deaths.push(signal ?? code);
      tell(undefined);
      begin();
    });
    child.send({ url, schema });
  }

  function tell(doom: Doom | undefined): void {
    for (const child of children) if (child.connected) child.send(doom ? { doom } : {});
  }

  /** In the order in which they were first taken: a crash repeats what was in flight. */
  const sent = async (room: string): Promise<number[]> => {
    const { rows } = await pool.query<{ n: number }>(
      `select n from ${quoted(schema)}.sent where room = $1 group by n order by min(seq)`,
      [room],
    );
    return rows.map(({ n }) => n);
  };

  async function publish(steps: readonly { room: string; n: number; fails: number }[]): Promise<void> {
    const client = await pool.connect();
    await client.query('begin');
    for (const step of steps) await outbox.within(client).publish(Steps, step);
    await client.query('commit');
    client.release();
  }

  it('loses and swaps nothing when a process is killed at any publish or statement that parks or releases', async () => {
    let next = 0;
    for (const doom of DOOMS) {
      const name = `${doom.text} ${doom.when}`;
      const before = deaths.length;
      tell(doom);
      const from = next;
      next += WAVE;
      // The first of each room is refused, redriven, not taken for now once, and taken. Its followers come when its key is parked: what a broker takes
      // in the same call as a refusal is out already (docs/parked-keys.md).
      const waits = async (count: number): Promise<void> => {
        const there = async (): Promise<boolean> =>
          (await pool.query(`select from ${quoted(schema)}.parked_message`)).rowCount === count;
        await until(`${count} wait at ${name}; ${said.slice(-2_000)}`, there, patient);
      };
      await publish(ROOMS.map((room) => ({ room, n: from, fails: 1 })));
      await waits(ROOMS.length);
      for (let n = from + 1; n < next; n++) await publish(ROOMS.map((room) => ({ room, n, fails: 0 })));
      await waits(ROOMS.length * WAVE);
      const open = async (): Promise<string[]> => (await letters.list({ status: ['dead'] })).map(({ id }) => id);
      expect(await open()).toHaveLength(ROOMS.length);
      await pool.query(`insert into ${quoted(schema)}.mended values ($1)`, [next]);
      for (const id of await open()) await letters.redrive(id);
      await until(`a death at ${name}; ${said.slice(-2_000)}`, () => deaths.length > before, patient);
      for (const room of ROOMS) {
        const all = async (): Promise<boolean> => (await sent(room)).length === next;
        await until(`all of room ${room} after ${name}; ${said.slice(-2_000)}`, all, patient);
        expect([name, room, await sent(room)]).toEqual([name, room, Array.from({ length: next }, (_, n) => n)]);
      }
      await until('two processes', () => ready === 2 + deaths.length, patient);
    }
    expect(deaths.every((how) => how === 'SIGKILL')).toBe(true);
  }, 500_000);
});
