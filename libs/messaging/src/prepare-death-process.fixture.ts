import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { quoted, silentLogger, systemClock } from '@tidings/core';
import { pg, withTransaction } from '@tidings/database';
import type { Outbox } from '@tidings/outbox';
import { Pool } from 'pg';
import { getOutboxToken } from './decorators/inject-outbox.decorator';
import { die, doomedBy, obey, Steps } from './doomed-process.fixture';
import { MessagingModule } from './messaging.module';
import { type ProcessPlace, transportOf } from './process-transport.fixture';

/** Where a process may be doomed to die, in the order in which it gets there. */
export const STEPS = ['prepared', 'operated', 'committing', 'committed'] as const;

/** Of all processes: the one that prepares decides when it is asked for first. That is later than a sender that lives takes to its commit. */
export const CHECK_BACK = { afterMs: 10_000, everyMs: 200 };

const reach = async (step: (typeof STEPS)[number]): Promise<void> => {
  if (doomedBy(step)) await die();
};

/** Prepares messages, one after the other; operates (a row of its own transaction, which stands for a payment elsewhere); commits. Until it dies. */
async function run(place: ProcessPlace): Promise<void> {
  const pool = new Pool({ connectionString: place.url, max: 3 });
  const store = pg(pool, { schema: place.schema, connections: 2 });
  const options = {
    source: 'spec',
    stores: { default: store },
    transports: { main: transportOf(place, store) },
    roles: ['publish' as const],
    checkBack: CHECK_BACK,
    logger: silentLogger,
  };
  const module = { module: class SenderModule {}, imports: [MessagingModule.forRoot(options)] };
  const outbox = (await NestFactory.createApplicationContext(module, { logger: false })).get<Outbox>(getOutboxToken());

  const prepareAll = async (): Promise<void> => {
    for (let n = 0; ; n++) {
      const id = `${process.pid}.${n}`;
      const prepared = await outbox.prepare(Steps, { room: `room ${n % 5}`, n, fails: 0 }, { id });
      await reach('prepared');
      await pool.query(`insert into ${quoted(place.schema)}.payment values ($1)`, [id]);
      await reach('operated');
      await withTransaction(pool, async (client) => {
        await prepared.commit(client);
        await reach('committing');
      });
      await reach('committed');
      await systemClock.wait(20);
    }
  };
  prepareAll().catch((thrown: unknown) => {
    process.stderr.write(`${String(thrown)}\n`);
    process.exit(1);
  });
}

obey(module, run);
