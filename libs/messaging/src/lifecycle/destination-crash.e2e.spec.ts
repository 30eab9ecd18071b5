import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hasTopologyRemoval, quoted, type Transport } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import type { Outbox } from '@tidings/outbox';
import { memory } from '@tidings/memory';
import { describeOn, RecordingReceive, server, until } from '@tidings/testing';
import { Pool } from 'pg';
import { getOutboxToken } from '../decorators/inject-outbox.decorator';
import { doomsAt, type Step, Steps } from '../doomed-process.fixture';
import { messagingMigrations } from '../messaging-runtime';
import { ProcessCrew } from '../process-crew.fixture';
import { type ProcessPlace, transportOf } from '../process-transport.fixture';
import { ApplicationDeadLetters } from '../publishing/application-dead-letters';
import { boot, closeAll, inMemory } from '../test-application.fixture';
import type { RelayOrders } from './destination-crash-process.fixture';

const ROOMS = ['a', 'b', 'c'];
const WAVE = 3;
const patient = { withinMs: 60_000, everyMs: 100 };

/** Each publish, and each statement by which a message is buried, its key parked, followed, asked for, claimed, read, postponed and left. */
const DOOMS = doomsAt(['publish', 'dead_letter" as letter', 'park_key"(', 'follow_parked_key"(', 'with recursive places', 'with page as', 'with held as', 'set state = case', 'leave_parked_key"(']); // prettier-ignore

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'two relays whose destination refuses messages', (broker) => {
    const url = server('postgres')!;
    const schema = `relays_${randomBytes(4).toString('hex')}`;
    const destination: ProcessPlace = { url, schema: `${schema}_read`, ...(kind === 'rabbitmq' && { rabbit: broker }) };
    const orders: RelayOrders = { url, schema, destination };
    const crew = new ProcessCrew(join(__dirname, 'destination-crash-process.fixture.ts'), orders);
    const arrived = new RecordingReceive();
    let pool: Pool;
    let read: ReturnType<typeof pg>;
    let transport: Transport;
    let outbox: Outbox;
    let letters: ApplicationDeadLetters;

    beforeAll(async () => {
      pool = new Pool({ connectionString: url, max: 6 });
      const store = pg(pool, { schema, connections: 2 });
      read = pg(pool, { schema: destination.schema, connections: 2 });
      for (const each of [store, read]) await migrate(each, messagingMigrations);
      await pool.query(
        `create table ${quoted(schema)}.run (room text, n int, runs int, primary key (room, n));
         create table ${quoted(schema)}.mended (n int)`,
      );
      transport = transportOf(destination, read);
      await transport.subscribe(
        { topic: Steps.topic, group: 'readers', ordered: true, broadcast: false, concurrency: 5, from: 'now' },
        arrived.receive,
      );
      const app = await boot(inMemory({ stores: { default: store }, transports: { main: memory() }, roles: ['publish'] })); // prettier-ignore
      outbox = app.get<Outbox>(getOutboxToken());
      letters = app.get(ApplicationDeadLetters);
      await crew.start(2);
    }, 120_000);

    afterAll(async () => {
      await crew.end();
      if (hasTopologyRemoval(transport)) await transport.removeTopic(Steps.topic, ['readers']);
      await Promise.all([transport.close(), closeAll()]);
      await read.close();
      for (const each of [schema, destination.schema]) await pool.query(`drop schema ${quoted(each)} cascade`);
      await pool.end();
    }, 60_000);

    /** In the order in which they came first: a crash repeats what was in flight. */
    const sent = (room: string): number[] => {
      const steps = arrived.deliveries.map(
        ({ message }) => JSON.parse(Buffer.from(message.payload).toString()) as Step,
      );
      return [...new Set(steps.filter((step) => step.room === room).map(({ n }) => n))];
    };

    async function publish(steps: readonly { room: string; n: number; fails: number }[]): Promise<void> {
      const client = await pool.connect();
      await client.query('begin');
      for (const step of steps) await outbox.within(client).publish(Steps, step);
      await client.query('commit');
      client.release();
    }

    it('loses and swaps nothing when a process is killed at any publish or statement that parks or releases', async () => {
      const { deaths } = crew;
      let next = 0;
      for (const doom of DOOMS) {
        const name = `${doom.text} ${doom.when}`;
        const before = deaths.length;
        crew.tell({ doom });
        const from = next;
        next += WAVE;
        // The first of each room is refused, redriven, not taken for now once, and taken. Its followers come when its key is parked: what a broker takes
        // in the same call as a refusal is out already (docs/parked-keys.md).
        const waits = async (count: number): Promise<void> => {
          const there = async (): Promise<boolean> =>
            (await pool.query(`select from ${quoted(schema)}.parked_message`)).rowCount === count;
          await until(`${count} wait at ${name}; ${crew.said}`, there, patient);
        };
        await publish(ROOMS.map((room) => ({ room, n: from, fails: 1 })));
        await waits(ROOMS.length);
        for (let n = from + 1; n < next; n++) await publish(ROOMS.map((room) => ({ room, n, fails: 0 })));
        await waits(ROOMS.length * WAVE);
        const open = async (): Promise<string[]> => (await letters.list({ status: ['dead'] })).map(({ id }) => id);
        expect(await open()).toHaveLength(ROOMS.length);
        await pool.query(`insert into ${quoted(schema)}.mended values ($1)`, [next]);
        for (const id of await open()) await letters.redrive(id);
        await until(`a death at ${name}; ${crew.said}`, () => deaths.length > before, patient);
        for (const room of ROOMS) {
          const all = (): boolean => sent(room).length === next;
          await until(`all of room ${room} after ${name}; ${crew.said}`, all, patient);
          expect([name, room, sent(room)]).toEqual([name, room, Array.from({ length: next }, (_, n) => n)]);
        }
        await crew.complete();
      }
      expect(deaths.every((how) => how === 'SIGKILL')).toBe(true);
    }, 500_000);
  });
});
