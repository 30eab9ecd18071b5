import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { defineMessage, fixed, type MessageContext, quoted, silentLogger, systemClock } from '@tidings/core';
import { clientOf, pg } from '@tidings/database';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { Pool } from 'pg';
import { z } from 'zod';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagingModule } from '../messaging.module';

/** What the handler is to do. `exit`, `oom` and `kill` end its process, in the ways that processes end. */
const DEEDS = ['done', 'fail', 'exit', 'oom', 'kill', 'killFirst'] as const;
export type Deed = (typeof DEEDS)[number];

export const Deeds = defineMessage('deed.asked', {
  schema: z.object({ name: z.string(), deed: z.enum(DEEDS) }),
  key: ({ name }) => name,
});

export interface DeedOrders {
  readonly url: string;
  /** Has the tables `run` and `effect`. */
  readonly schema: string;
  /** Undefined: the PostgreSQL transport. */
  readonly rabbit?: string;
  readonly ordered: boolean;
  readonly attempts: number;
}

export const transportOf = (
  { rabbit, schema }: Pick<DeedOrders, 'rabbit' | 'schema'>,
  store: Parameters<typeof postgres>[0]['store'],
) =>
  rabbit === undefined
    ? postgres({ store, leaseMs: 1_000, pollMs: 200 })
    : rabbitmq({ urls: rabbit, prefix: schema, orderedQueues: 4 });

function handlerOf({ schema, ordered, attempts }: DeedOrders, pool: Pool) {
  @Injectable()
  class DoDeed {
    @OnMessage(Deeds, { group: 'doers', ordered, concurrency: 4, retry: fixed({ attempts, delayMs: 20 }) })
    async do({ name, deed }: { name: string; deed: Deed }, context: MessageContext): Promise<void> {
      // By itself: what runs in the handler's transaction is gone with its process.
      const { rowCount: runs } = await pool.query(
        `insert into ${quoted(schema)}.run (name, pid, attempt) select $1, $2, $3`,
        [name, process.pid, context.attempt],
      );
      if (runs !== 1) throw new TypeError('expected a row');
      await clientOf(context).query(`insert into ${quoted(schema)}.effect values ($1)`, [name]);
      await systemClock.wait(20, context.signal); // others are in flight beside it
      await act(deed, pool, `${quoted(schema)}.run`, name);
    }
  }
  return DoDeed;
}

async function act(deed: Deed, pool: Pool, run: string, name: string): Promise<void> {
  switch (deed) {
    case 'done':
      return;
    case 'fail':
      throw new Error('as asked');
    case 'exit':
      return process.exit(7);
    case 'oom': {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 10_000 }, () => ({ name })));
    }
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    case 'killFirst': {
      const { rows } = await pool.query<{ runs: string }>(`select count(*) as runs from ${run} where name = $1`, [
        name,
      ]);
      if (Number(rows[0]!.runs) === 1) return act('kill', pool, run, name);
      throw new Error('as asked, not killed');
    }
  }
}

async function run(orders: DeedOrders): Promise<void> {
  const pool = new Pool({ connectionString: orders.url, max: 5 });
  // A pool of its own: handlers and released keys may hold all connections of the other, and would wait for one more for ever.
  const records = new Pool({ connectionString: orders.url, max: 2 });
  const store = pg(pool, { schema: orders.schema, connections: 2 });
  const options = {
    source: 'doer',
    stores: { default: store },
    transports: { main: transportOf(orders, store) },
    roles: ['handle' as const],
    logger: silentLogger,
  };
  const Handler = handlerOf(orders, records);
  const module = { module: class DoerModule {}, imports: [MessagingModule.forRoot(options)], providers: [Handler] };
  await NestFactory.createApplicationContext(module, { logger: false });
  process.send!('ready');
}

if (process.send && require.main === module) {
  process.once('message', (orders: DeedOrders) => void run(orders));
  process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan
}
