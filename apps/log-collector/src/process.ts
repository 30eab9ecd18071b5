import 'reflect-metadata';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { asError } from '@tidings/core';
import { pg } from '@tidings/database';
import { kafka } from '@tidings/kafka';
import { MessagePublisher, MessagingModule, nestLogger } from '@tidings/messaging';
import { Pool } from 'pg';
import { CollectWindowsHandler } from './collect-windows.handler';
import { tellActions } from './user-site';

/** What a process is started with. */
export interface ProcessOrders {
  readonly role: 'site' | 'collector';
  readonly name: string;
  readonly databaseUrl: string;
  readonly brokerUrl: string;
  readonly prefix: string;
  readonly count: number;
  readonly seed: number;
}

/** What it says to whoever started it: that it is ready, or what it has sent. */
export type ProcessReport = { readonly ready: true } | { readonly sent: Awaited<ReturnType<typeof tellActions>> };

@Module({})
class AppModule {
  static register({ role, name, databaseUrl, brokerUrl, prefix }: ProcessOrders): DynamicModule {
    const logger = nestLogger(new Logger(name));
    const transport = kafka({
      urls: brokerUrl,
      prefix,
      partitions: 4,
      compression: 'gzip',
      sessionTimeoutMs: 6_000, // a dead collector's partitions go to the other one after this
      logger,
    });
    const pool = new Pool({ connectionString: databaseUrl, max: 5 });
    pool.on('error', (error) => logger.warn({ err: error }, 'a connection was lost'));
    const collects = role === 'collector';
    return {
      module: AppModule,
      imports: [
        MessagingModule.forRoot({
          source: 'log-collector',
          transports: { logs: transport },
          logger,
          ...(collects && { stores: { default: pg(pool, { connections: 2, logger }) } }),
          roles: [collects ? 'handle' : 'publish'],
        }),
      ],
      providers: collects ? [CollectWindowsHandler] : [],
    };
  }
}

async function run(orders: ProcessOrders): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule.register(orders), { logger: ['warn', 'error'], abortOnError: false }); // prettier-ignore
  app.enableShutdownHooks();
  const report = (what: ProcessReport): void => void process.send?.(what);
  report({ ready: true });
  if (orders.role === 'collector') return void process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  report({ sent: await tellActions(app.get(MessagePublisher, { strict: false }), orders.count, orders.seed) });
  await app.close();
  process.disconnect();
}

run(JSON.parse(process.argv[2] ?? '{}') as ProcessOrders).catch((thrown: unknown) => {
  process.stderr.write(`${asError(thrown).stack}\n`);
  process.exit(1);
});
