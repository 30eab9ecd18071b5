import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { quoted, silentLogger, type Store } from '@tidings/core';
import { pg } from '@tidings/database';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { Pool } from 'pg';
import { OnMessage } from '../decorators/on-message.decorator';
import { obey, type Step, Steps } from '../doomed-process.fixture';
import { MessagingModule } from '../messaging.module';

export interface ScreenOrders {
  readonly url: string;
  /** Undefined: the PostgreSQL transport. */
  readonly rabbit?: string;
  /** Has the table `heard`. */
  readonly schema: string;
}

export const transportOf = ({ rabbit, schema }: ScreenOrders, store: Store) =>
  rabbit === undefined
    ? postgres({ store, leaseMs: 1_000, pollMs: 200 })
    : rabbitmq({ urls: rabbit, prefix: schema, heartbeatMs: 1_000 });

/** A process of a broadcast, which writes down what it hears: by a pool of its own, for handlers may hold all connections of the other. */
export const screenModule = (orders: ScreenOrders, pool: Pool, records: Pool) => {
  @Injectable()
  class Screen {
    @OnMessage(Steps, { group: 'screens', broadcast: true })
    async show({ room, n }: Step): Promise<void> {
      await records.query(`insert into ${quoted(orders.schema)}.heard values ($1, $2, $3)`, [process.pid, room, n]);
    }
  }
  const store = pg(pool, { schema: orders.schema, connections: 2 });
  const options = {
    source: 'screen',
    stores: { default: store },
    transports: { main: transportOf(orders, store) },
    roles: ['handle' as const],
    logger: silentLogger,
  };
  return { module: class ScreenModule {}, imports: [MessagingModule.forRoot(options)], providers: [Screen] };
};

async function run(orders: ScreenOrders): Promise<void> {
  const [pool, records] = [4, 2].map((max) => new Pool({ connectionString: orders.url, max }));
  for (const each of [pool!, records!]) each.on('error', () => undefined);
  await NestFactory.createApplicationContext(screenModule(orders, pool!, records!), { logger: false });
}

obey(module, run);
