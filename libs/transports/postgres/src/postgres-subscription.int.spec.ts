import { randomUUID } from 'node:crypto';
import { accept, type ActiveSubscription, defineMessage, MessageFactory, systemClock } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { postgresLogMigrations } from '@tidings/postgres-log';
import { describeOn, until } from '@tidings/testing';
import { Pool } from 'pg';
import { z } from 'zod';
import type { PostgresTransport } from './postgres.transport';
import { specTransport } from './spec-transport.fixture';

const RoomOpened = defineMessage('room.opened', { schema: z.object({ n: z.number() }) });

describeOn('postgres', 'a subscription whose readers were removed', (url) => {
  const schema = `gone_${randomUUID().slice(0, 8)}`;
  const pool = new Pool({ connectionString: url, max: 1 });
  const factory = new MessageFactory('spec', systemClock);
  let transport: PostgresTransport;
  beforeAll(async () => {
    const store = pg(pool, { schema });
    await migrate(store, postgresLogMigrations);
    await store.close();
    transport = specTransport({ url, schema });
    await transport.connect();
  });
  afterAll(async () => {
    await transport.close();
    await pool.query(`drop schema ${schema} cascade`);
    await pool.end();
  });

  it.each([
    ['a broadcast', true],
    ['a group', false],
  ])(
    'is unhealthy, joins again and hears what is published from then on: %s',
    async (_, broadcast) => {
      const heard: string[] = [];
      const subscription: ActiveSubscription = await transport.subscribe(
        {
          topic: RoomOpened.topic,
          group: `screens-${broadcast}`,
          broadcast,
          ordered: false,
          concurrency: 4,
          from: 'now',
        },
        ({ message }) => {
          heard.push(message.id);
          return Promise.resolve(accept);
        },
      );
      const readers = async (): Promise<number> =>
        (await pool.query(`select from ${schema}.reader where starts_with(name, 'screens-${broadcast}')`)).rowCount ??
        0;
      expect(await readers()).toBe(2);
      let unhealthy = false;
      const gone = `with gone as (delete from ${schema}.reader where starts_with(name, 'screens-${broadcast}') returning id)
      delete from ${schema}.cursor where reader in (select id from gone)`;
      await pool.query(gone);
      await until('it is there again', async () => {
      unhealthy ||= !subscription.healthy();
      return (await readers()) === 2 && subscription.healthy() && unhealthy;
    }, { withinMs: 30_000, everyMs: 1 }); // prettier-ignore
      const messages = await Promise.all([1, 2, 3].map((n) => factory.create(RoomOpened, { n })));
      const results = await transport.publish(messages.map((message) => ({ message })));
      expect(results.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'confirmed']);
      await until('it hears all', () => Promise.resolve(heard.length >= 3), { withinMs: 30_000 });
      expect(heard.toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
      await subscription.stop(1_000);
      expect(await readers()).toBe(broadcast ? 0 : 2); // not two of them: a second seat would deliver twice
    },
    90_000,
  );
});
