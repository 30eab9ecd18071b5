import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { defineMessage, fixed, type MessageContext, quoted, silentLogger, systemClock } from '@tidings/core';
import { clientOf, pg } from '@tidings/database';
import { Pool } from 'pg';
import { z } from 'zod';
import { OnMessage } from '../decorators/on-message.decorator';
import { OnMessages } from '../decorators/on-messages.decorator';
import { obey } from '../doomed-process.fixture';
import { MessagingModule } from '../messaging.module';
import { type ProcessPlace, transportOf } from '../process-transport.fixture';
import type { BatchContext, BatchItem } from './batch-context';

/** What the handler is to do. `exit`, `oom` and `kill` end its process, in the ways that processes end. */
const DEEDS = ['done', 'fail', 'exit', 'oom', 'kill', 'killFirst'] as const;
export type Deed = (typeof DEEDS)[number];

export const Deeds = defineMessage('deed.asked', {
  schema: z.object({ name: z.string(), deed: z.enum(DEEDS) }),
  key: ({ name }) => name,
});

/** The schema has the tables `run` and `effect`. */
export interface DeedOrders extends ProcessPlace {
  readonly ordered: boolean;
  readonly attempts: number;
  /** Messages that share a transaction. Undefined: one each. */
  readonly batch?: number;
}

interface AskedDeed {
  readonly name: string;
  readonly deed: Deed;
}

/** One handler of one message, or of a batch: it writes down each run, then each effect, then does what it is asked to. */
function handlerOf({ schema, ordered, attempts, batch }: DeedOrders, pool: Pool) {
  const options = { group: 'doers', ordered, retry: fixed({ attempts, delayMs: 20 }) };

  async function doAll(deeds: readonly (AskedDeed & { attempt: number })[], context: MessageContext | BatchContext) {
    for (const { name, attempt } of deeds) {
      // By itself: what runs in the handler's transaction is gone with its process.
      await pool.query(`insert into ${quoted(schema)}.run (name, pid, attempt) values ($1, $2, $3)`, [
        name,
        process.pid,
        attempt,
      ]);
      await clientOf(context).query(`insert into ${quoted(schema)}.effect values ($1)`, [name]);
    }
    await systemClock.wait(20, context.signal); // others are in flight beside it
    for (const { name, deed } of deeds) await act(deed, pool, `${quoted(schema)}.run`, name);
  }

  @Injectable()
  class DoDeed {
    @OnMessage(Deeds, { ...options, concurrency: 4 })
    do(deed: AskedDeed, context: MessageContext): Promise<void> {
      return doAll([{ ...deed, attempt: context.attempt }], context);
    }
  }

  @Injectable()
  class DoDeeds {
    @OnMessages(Deeds, { ...options, batch: { size: batch ?? 1 } })
    do(items: BatchItem<AskedDeed>[], context: BatchContext): Promise<void> {
      return doAll(
        items.map(({ payload, attempt }) => ({ ...payload, attempt })),
        context,
      );
    }
  }
  return batch === undefined ? DoDeed : DoDeeds;
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
}

obey(module, run);
