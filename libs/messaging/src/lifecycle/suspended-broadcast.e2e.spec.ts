import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { hasTopologyRemoval, MessageFactory, type PublishResult, quoted, systemClock, type Transport } from '@tidings/core'; // prettier-ignore
import { migrate, pg } from '@tidings/database';
import { describeOn, server, until } from '@tidings/testing';
import { Pool } from 'pg';
import { Steps } from '../doomed-process.fixture';
import { messagingMigrations } from '../messaging-runtime';
import { ProcessCrew } from '../process-crew.fixture';
import { screenModule, type ScreenOrders, transportOf } from './broadcast-process.fixture';

const patient = { withinMs: 120_000, everyMs: 250 };

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'a process of a broadcast that is suspended', (broker) => {
    const url = server('postgres')!;
    const schema = `screens_${randomBytes(4).toString('hex')}`;
    const orders: ScreenOrders = { url, schema, ...(kind === 'rabbitmq' && { rabbit: broker }) };
    const crew = new ProcessCrew(join(__dirname, 'broadcast-process.fixture.ts'), orders);
    const factory = new MessageFactory('spec', systemClock);
    const apps: INestApplicationContext[] = [];
    let pool: Pool;
    let records: Pool;
    let store: ReturnType<typeof pg>;
    let transport: Transport;

    beforeAll(async () => {
      pool = new Pool({ connectionString: url, max: 6 });
      records = new Pool({ connectionString: url, max: 2 });
      store = pg(pool, { schema, connections: 2 });
      await migrate(store, messagingMigrations);
      await records.query(`create table ${quoted(schema)}.heard (pid int, room text, n int)`);
      transport = transportOf(orders, store);
      await transport.connect();
      await crew.start(1);
    }, 120_000);

    afterAll(async () => {
      crew.signal('SIGCONT');
      await crew.end();
      if (hasTopologyRemoval(transport)) await transport.removeTopic(Steps.topic, ['screens']);
      await Promise.all([...apps.map((app) => app.close()), transport.close()]);
      await store.close();
      await records.query(`drop schema ${quoted(schema)} cascade`);
      await Promise.all([pool.end(), records.end()]);
    }, 60_000);

    const publish = async (room: string, n = 0): Promise<PublishResult> =>
      (await transport.publish([{ message: await factory.create(Steps, { room, n, fails: 0 }) }]))[0]!;
    /** Of the process that was suspended. */
    const heard = async (room: string): Promise<number[]> =>
      (
        await records.query<{ n: number }>(
          `select n from ${quoted(schema)}.heard where room = $1 and pid <> $2 order by n`,
          [room, process.pid],
        )
      ).rows.map(({ n }) => n);

    /** More time than a process of a broadcast is waited for. */
    async function forgotten(): Promise<void> {
      if (kind === 'rabbitmq') {
        // The broker misses its heartbeats, and a minute later the queue expires. Nothing else is bound to the topic.
        const unroutable = async (): Promise<boolean> => (await publish('meanwhile')).outcome === 'failed';
        return until('its queue is gone', unroutable, patient);
      }
      // As if it had begun a while ago and had not renewed its membership since; the next process to join clears it away.
      await records.query(`update ${quoted(schema)}.reader set created_at = created_at - interval '1 hour'`);
      await records.query(`delete from ${quoted(schema)}.member`);
      apps.push(await NestFactory.createApplicationContext(screenModule(orders, pool, records), { logger: false }));
    }

    it('joins again when it has been forgotten meanwhile, and misses nothing from then on', async () => {
      await publish('before');
      await until(`it hears; ${crew.said}`, async () => (await heard('before')).length === 1, patient);
      crew.signal('SIGSTOP');
      await forgotten();
      crew.signal('SIGCONT');
      let tried = 0;
      const hears = async (): Promise<boolean> => {
        await publish('again', tried++);
        return (await heard('again')).length > 0;
      };
      await until(`it hears again; ${crew.said}`, hears, patient);
      for (let n = 0; n < 5; n++) expect(await publish('after', n)).toEqual({ outcome: 'confirmed' });
      await until(`it hears all; ${crew.said}`, async () => (await heard('after')).length >= 5, patient);
      expect(await heard('after')).toEqual([0, 1, 2, 3, 4]);
      expect(crew.deaths).toEqual([]);
    }, 300_000);
  });
});
