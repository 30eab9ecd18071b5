import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { quoted } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { rabbitmq } from '@tidings/rabbitmq';
import { describeOn, server, until } from '@tidings/testing';
import { connect } from 'amqplib';
import { Pool } from 'pg';
import { messagingMigrations } from '../messaging-runtime';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, inMemory } from '../test-application.fixture';
import { type Doom, Steps } from './parked-order-process.fixture';

const ROOMS = ['a', 'b', 'c', 'd', 'e', 'f'];
const WAVE = 4;
const patient = { withinMs: 100_000, everyMs: 100 };

/** Each statement by which a key is parked, followed, claimed, read, postponed and left. */
const STATEMENTS = ['park_key"(', 'follow_parked_key"(', 'with page as', 'with held as', 'set state = case', 'leave_parked_key"(']; // prettier-ignore
const DOOMS: Doom[] = STATEMENTS.flatMap((text) => [
  { text, when: 'unsent' },
  { text, when: 'unheard' },
]);

describeOn('rabbitmq', 'an ordered group of two processes whose messages fail', (rabbit) => {
  const url = server('postgres')!;
  const schema = `walk_${randomBytes(4).toString('hex')}`;
  const children = new Set<ChildProcess>();
  const deaths: (string | number | null)[] = [];
  let said = '';
  let ready = 0;
  let ending = false;
  let pool: Pool;
  let publisher: MessagePublisher;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 2 });
    await migrate(pg(pool, { schema, connections: 2 }), messagingMigrations);
    await pool.query(
      `create table ${quoted(schema)}.run (room text, n int, runs int, primary key (room, n));
       create table ${quoted(schema)}.effect (seq bigserial, room text, n int)`,
    );
    const main = rabbitmq({ urls: rabbit, prefix: schema, orderedQueues: 4 });
    publisher = (await boot(inMemory({ transports: { main }, roles: ['publish'] }))).get(MessagePublisher);
    for (let n = 0; n < 2; n++) begin();
    await until('two processes', () => ready === 2, patient);
  }, 120_000);

  afterAll(async () => {
    ending = true;
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await closeAll();
    await deleteQueues();
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await pool.end();
  }, 60_000);

  /** One that dies is replaced; whoever lives on is doomed no more. */
  function begin(): void {
    const child = fork(join(__dirname, 'parked-order-process.fixture.ts'), {
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
    child.send({ url, rabbit, schema });
  }

  function tell(doom: Doom | undefined): void {
    for (const child of children) if (child.connected) child.send(doom ? { doom } : {}, () => undefined); // one that just died hears nothing
  }

  const effects = async (room: string): Promise<number[]> =>
    (
      await pool.query<{ n: number }>(`select n from ${quoted(schema)}.effect where room = $1 order by seq`, [room])
    ).rows.map(({ n }) => n);

  async function deleteQueues(): Promise<void> {
    const connection = await connect(rabbit);
    const channel = await connection.createChannel();
    const topic = `${schema}.step.taken`;
    const group = `${topic}/walkers`;
    const lanes = [0, 1, 2, 3].map((n) => `${group}/${n}of4`);
    for (const queue of [group, ...lanes, `${group}/dead`, `${group}/shape`, `${group}/delay/30`])
      await channel.deleteQueue(queue);
    for (const exchange of [group, topic]) await channel.deleteExchange(exchange);
    await connection.close();
  }

  it('loses, doubles and swaps nothing when a process is killed at any statement that parks or releases', async () => {
    let sent = 0;
    for (const doom of DOOMS) {
      const before = deaths.length;
      tell(doom);
      // The first of each room's wave fails twice: parked, tried in vain, postponed; the second fails once, as the head that it becomes.
      const wave = Array.from({ length: WAVE }, (_, n) => ({ n: sent + n, fails: [2, 1, 0, 0][n]! }));
      sent += WAVE;
      const steps = wave.flatMap((step) => ROOMS.map((room) => ({ room, ...step })));
      await publisher.publishAll(steps.map((payload) => ({ contract: Steps, payload })));
      const name = `${doom.text} ${doom.when}`;
      await until(`a death at ${name}; ${said.slice(-2_000)}`, () => deaths.length > before, patient);
      for (const room of ROOMS) {
        const all = async (): Promise<boolean> => (await effects(room)).length >= sent;
        await until(`all of room ${room} after ${name}; ${said.slice(-2_000)}`, all, patient);
        expect([name, room, await effects(room)]).toEqual([name, room, Array.from({ length: sent }, (_, n) => n)]);
      }
      await until('two processes', () => ready === 2 + deaths.length, patient);
    }
    expect(deaths.every((how) => how === 'SIGKILL')).toBe(true);
    const { rows } = await pool.query(`select 1 from ${quoted(schema)}.dead_letter union all select 1 from ${quoted(schema)}.parked_key`); // prettier-ignore
    expect(rows).toEqual([]);
  }, 500_000);
});
