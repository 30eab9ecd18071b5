import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { fixed, type MessageContext, quoted, silentLogger } from '@tidings/core';
import { clientOf, pg } from '@tidings/database';
import { Pool } from 'pg';
import { OnMessage } from '../decorators/on-message.decorator';
import { mortal, obey, type Step, Steps } from '../doomed-process.fixture';
import { MessagingModule } from '../messaging.module';
import { type ProcessPlace, transportOf } from '../process-transport.fixture';

/** The schema has the tables `run` and `effect`. */
async function run(orders: ProcessPlace): Promise<void> {
  const { url, schema } = orders;
  const pool = new Pool({ connectionString: url, max: 6 });
  const records = new Pool({ connectionString: url, max: 2 });

  @Injectable()
  class Walk {
    @OnMessage(Steps, { group: 'walkers', ordered: true, concurrency: 4, retry: fixed({ attempts: 20, immediate: 0, delayMs: 30 }) }) // prettier-ignore
    async step({ room, n, fails }: Step, context: MessageContext): Promise<void> {
      await clientOf(context).query(`insert into ${quoted(schema)}.effect (room, n) values ($1, $2)`, [room, n]);
      const { rows } = await records.query<{ runs: number }>(
        `insert into ${quoted(schema)}.run values ($1, $2, 1)
           on conflict (room, n) do update set runs = run.runs + 1 returning runs`,
        [room, n],
      );
      if (rows[0]!.runs <= fails) throw new Error('as asked');
    }
  }
  const store = pg(pool, { schema, connections: 4 });
  const options = {
    source: 'walker',
    stores: { default: mortal(store) },
    transports: { main: transportOf(orders, store) },
    roles: ['handle' as const],
    parking: { leaseMs: 1_000 },
    logger: silentLogger,
  };
  const module = { module: class WalkerModule {}, imports: [MessagingModule.forRoot(options)], providers: [Walk] };
  await NestFactory.createApplicationContext(module, { logger: false });
}

obey(module, run);
