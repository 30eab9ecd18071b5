import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hasTopologyRemoval, quoted, type Transport } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, server, until } from '@tidings/testing';
import { Pool } from 'pg';
import { doomsAt, Steps } from '../doomed-process.fixture';
import { messagingMigrations } from '../messaging-runtime';
import { ProcessCrew } from '../process-crew.fixture';
import { type ProcessPlace, transportOf } from '../process-transport.fixture';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, inMemory } from '../test-application.fixture';

const ROOMS = ['a', 'b', 'c', 'd', 'e', 'f'];
const WAVE = 4;
const patient = { withinMs: 100_000, everyMs: 100 };

/** Each statement by which a key is parked, followed, claimed, read, postponed and left. */
const DOOMS = doomsAt(['park_key"(', 'follow_parked_key"(', 'with page as', 'with held as', 'set state = case', 'leave_parked_key"(']); // prettier-ignore

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'an ordered group of two processes whose messages fail', (broker) => {
    const url = server('postgres')!;
    const schema = `walk_${randomBytes(4).toString('hex')}`;
    const orders: ProcessPlace = { url, schema, ...(kind === 'rabbitmq' && { rabbit: broker }) };
    const crew = new ProcessCrew(join(__dirname, 'parked-order-process.fixture.ts'), orders);
    let pool: Pool;
    let transport: Transport;
    let publisher: MessagePublisher;

    beforeAll(async () => {
      pool = new Pool({ connectionString: url, max: 2 });
      const store = pg(pool, { schema, connections: 2 });
      await migrate(store, messagingMigrations);
      await pool.query(
        `create table ${quoted(schema)}.run (room text, n int, runs int, primary key (room, n));
         create table ${quoted(schema)}.effect (seq bigserial, room text, n int)`,
      );
      transport = transportOf(orders, store);
      const options = inMemory({ stores: { default: store }, transports: { main: transport }, roles: ['publish'] });
      publisher = (await boot(options)).get(MessagePublisher);
      await crew.start(2);
    }, 120_000);

    afterAll(async () => {
      await crew.end();
      if (hasTopologyRemoval(transport)) await transport.removeTopic(Steps.topic, ['walkers']);
      await closeAll();
      await pool.query(`drop schema ${quoted(schema)} cascade`);
      await pool.end();
    }, 60_000);

    const effects = async (room: string): Promise<number[]> =>
      (
        await pool.query<{ n: number }>(`select n from ${quoted(schema)}.effect where room = $1 order by seq`, [room])
      ).rows.map(({ n }) => n);

    it('loses, doubles and swaps nothing when a process is killed at any statement that parks or releases', async () => {
      const { deaths } = crew;
      let sent = 0;
      for (const doom of DOOMS) {
        const before = deaths.length;
        crew.tell({ doom });
        // The first of each room's wave fails twice: parked, tried in vain, postponed; the second fails once, as the head that it becomes.
        const wave = Array.from({ length: WAVE }, (_, n) => ({ n: sent + n, fails: [2, 1, 0, 0][n]! }));
        sent += WAVE;
        const steps = wave.flatMap((step) => ROOMS.map((room) => ({ room, ...step })));
        await publisher.publishAll(steps.map((payload) => ({ contract: Steps, payload })));
        const name = `${doom.text} ${doom.when}`;
        await until(`a death at ${name}; ${crew.said}`, () => deaths.length > before, patient);
        for (const room of ROOMS) {
          const all = async (): Promise<boolean> => (await effects(room)).length >= sent;
          await until(`all of room ${room} after ${name}; ${crew.said}`, all, patient);
          expect([name, room, await effects(room)]).toEqual([name, room, Array.from({ length: sent }, (_, n) => n)]);
        }
        await crew.complete();
      }
      expect(deaths.every((how) => how === 'SIGKILL')).toBe(true);
      const { rows } = await pool.query(`select 1 from ${quoted(schema)}.dead_letter union all select 1 from ${quoted(schema)}.parked_key`); // prettier-ignore
      expect(rows).toEqual([]);
    }, 500_000);
  });
});
