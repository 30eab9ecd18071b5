import { Injectable } from '@nestjs/common';
import {
  defineMessage,
  exponential,
  type MessageContext,
  type PayloadOf,
  silentLogger,
  systemClock,
  type Transport,
} from '@tidings/core';
import { clientOf, migrate, pg, withTransaction } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { describePrivate, until } from '@tidings/testing';
import { Pool } from 'pg';
import { z } from 'zod';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingHealth } from './lifecycle/messaging-health';
import { MessagingModule } from './messaging.module';
import { boot, closeAll } from './test-application.fixture';

const Counted = defineMessage('counted', {
  schema: z.object({ key: z.string(), counter: z.number() }),
  key: ({ key }) => key,
});
const LONG_MS = 240_000;
const PATIENCE_MS = 90_000;
const KEYS = ['a', 'b', 'c', 'd', 'e'];
const EACH = 60;

class AllSent extends Error {}

@Injectable()
class CountHandler {
  // For ever: what the restart breaks must not end among the dead letters.
  @OnMessage(Counted, {
    group: 'count',
    ordered: true,
    retry: exponential({ attempts: Infinity, immediate: 0, delayMs: 50, maxDelayMs: 200 }),
  })
  async count({ key, counter }: PayloadOf<typeof Counted>, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect (key, counter) values ($1, $2)', [key, counter]);
  }
}

describePrivate('postgres', 'an application, when its PostgreSQL restarts', (server) => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  let pool: Pool;

  beforeEach(async () => {
    process.on('unhandledRejection', onUnhandled);
    pool = new Pool({ connectionString: server().url, max: 10, connectionTimeoutMillis: 5_000 });
    pool.on('error', () => undefined); // idle connections that the restart ends
    await pool.query('create table counter (key text primary key, counter int not null)');
    // No unique key: an effect that comes twice must show.
    await pool.query('create table effect (id int generated always as identity, key text, counter int)');
    await pool.query('insert into counter select unnest($1::text[]), 0', [KEYS]);
  });
  afterEach(async () => {
    await closeAll();
    await pool.query('drop table counter, effect; drop schema tidings cascade');
    await pool.end();
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled.splice(0)).toEqual([]);
  });

  /** Counts one key up, message by message, each in a transaction under the key's row lock; after a lost answer it looks how far it is. */
  const send = async (outbox: Outbox, key: string): Promise<void> => {
    let counter = 0;
    const step = async (): Promise<boolean> => {
      try {
        counter = await withTransaction(pool, async (client) => {
          const { rows } = await client.query<{ counter: number }>(
            'update counter set counter = counter + 1 where key = $1 returning counter',
            [key],
          );
          const next = rows[0]!.counter;
          if (next <= EACH) await outbox.within(client).publish(Counted, { key, counter: next });
          else throw new AllSent();
          return next;
        });
      } catch (thrown) {
        if (thrown instanceof AllSent) return true;
        await systemClock.wait(100);
      }
      return counter >= EACH;
    };
    await until(`all of ${key} is sent`, step, { withinMs: PATIENCE_MS, everyMs: 1 });
  };

  it.each<[string, 'stop' | 'crash', (store: ReturnType<typeof pg>) => Transport]>([
    [
      'the PostgreSQL transport',
      'crash',
      (store) => postgres({ store, leaseMs: 1_500, pollMs: 500, maxBackoffMs: 500 }),
    ],
    [
      'the PostgreSQL transport',
      'stop',
      (store) => postgres({ store, leaseMs: 1_500, pollMs: 500, maxBackoffMs: 500 }),
    ],
    ['the relay to another broker', 'crash', () => memory({ broker: new MemoryBroker() })],
  ])(
    'loses nothing and applies nothing twice: %s, %s',
    async (_, end, transport) => {
      const store = pg(pool, { logger: silentLogger });
      const app = await boot(
        MessagingModule.forRoot({
          source: 'spec',
          stores: { default: store },
          transports: { main: transport(store) },
          relay: { leaseMs: 1_500, pollMs: 500, maxBackoffMs: 500 },
          migrate,
          logger: silentLogger,
        }),
        { providers: [CountHandler] },
      );
      const applied = async (): Promise<number> =>
        (await pool.query<{ n: number }>('select count(*)::int as n from effect')).rows[0]!.n;
      const sending = Promise.all(KEYS.map((key) => send(app.get(Outbox), key)));
      for (const part of [0.2, 0.5]) {
        await until('a part is applied', async () => (await applied()) >= part * EACH * KEYS.length, {
          withinMs: PATIENCE_MS,
        });
        await server()[end]();
        await server().start();
      }
      expect(await applied()).toBeLessThan(EACH * KEYS.length); // it was in the middle
      await sending;
      await until('all is applied', async () => (await applied()) >= EACH * KEYS.length, { withinMs: PATIENCE_MS });
      await until('healthy again', () => app.get(MessagingHealth).check().up, { withinMs: PATIENCE_MS });
      const { rows } = await pool.query<{ key: string; counters: number[] }>(
        'select key, array_agg(counter order by id) as counters from effect group by key order by key',
      );
      const all = Array.from({ length: EACH }, (_unused, n) => n + 1);
      expect(rows).toEqual(KEYS.map((key) => ({ key, counters: all })));
    },
    LONG_MS,
  );
});
