import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type Middleware, OptionsError, systemClock, type Transport } from '@tidings/core';
import { typeorm } from '@tidings/database';
import { MessagingModule, type MessagingOptions, nestLogger } from '@tidings/messaging';
import type { AppName } from './app-name';
import { killStepInterceptor } from './check/kill-step.interceptor';
import { killStepMiddleware } from './check/kill-step.middleware';
import { killMiddleware } from './check/kill.middleware';
import { faultyTransport } from './check/faulty-transport';
import { sabotagedTransport } from './check/sabotaged-transport';
import { giftRoutes } from './gift-routes';
import { giftTransport } from './gift-transport';
import { HealthController } from './health.controller';
import { History } from './history/history';
import { historyMiddleware } from './history/history.middleware';
import { HistoryModule } from './history/history.module';
import type { PlatformConfig } from './platform-config';
import { SharedLog } from './shared-log';
import { SharedLogModule } from './shared-log.module';

/**
 * Six apps, each with these, one that listens and two for the history, take 66 of the 100 connections that PostgreSQL allows by default. More would
 * not be faster on a few cores.
 */
const POOL = 6;
const OWN_CONNECTIONS = 2;
/** Sends gifts that are rechecked, or confirms them. */
const TAKES_PART: readonly AppName[] = ['gift-api', 'ranking', 'revenue-share', 'badges'];

export interface PlatformOptions {
  readonly app: AppName;
  readonly config: PlatformConfig;
  /** The app's own tables, in its own schema. Default none. */
  readonly entities?: readonly Type[];
  /** True: its tables, its outbox and its inbox are in the database OWN_DATABASE_URL; only the transport is the others'. Default false. */
  readonly ownDatabase?: boolean;
  /** Of the messaging of this app alone. */
  readonly messaging?: Partial<MessagingOptions>;
}

/** What every app of the demo stands on: its tables, and Tidings beside them in the same database. */
@Module({})
export class PlatformModule {
  static register(options: PlatformOptions): DynamicModule {
    const { app, config, entities = [] } = options;
    return {
      module: PlatformModule,
      controllers: [HealthController],
      providers: config.killStep ? [killStepInterceptor(config.killStep)] : [],
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: databaseOf(options),
          schema: app.replaceAll('-', '_'),
          entities: [...entities],
          applicationName: app,
          poolSize: POOL,
          connectTimeoutMS: 10_000, // a request that waits this long for a connection fails, instead of waiting for ever
        }),
        MessagingModule.forRootAsync({
          imports: [HistoryModule.register(app, config), SharedLogModule.register(options)],
          inject: [DataSource, { token: SharedLog, optional: true }, { token: History, optional: true }],
          useFactory: (dataSource: DataSource, log?: SharedLog, history?: History) =>
            messagingOptions(options, dataSource, log, history),
        }),
      ],
    };
  }
}

async function messagingOptions(
  { app, config, messaging }: PlatformOptions,
  dataSource: DataSource,
  log?: SharedLog,
  history?: History,
): Promise<MessagingOptions> {
  const logger = nestLogger();
  const store = typeorm(dataSource, { connections: OWN_CONNECTIONS, logger });
  const shared = log?.store ?? store;
  const transport = await giftTransport(config.transport, shared, { logger, leaseMs: config.leaseMs });
  const rooms = config.rooms && (await giftTransport(config.rooms, shared, { logger, atMostOnce: true }));
  return {
    ...messaging,
    source: app,
    logger,
    stores: { default: store },
    transports: { main: withFaults(app, config, transport, history), ...(rooms && { rooms }) },
    routes: giftRoutes(app, rooms !== undefined),
    roles: config.roles,
    ...(config.callback && TAKES_PART.includes(app) && { callback: { sends: app === 'gift-api' } }),
    ...(config.leaseMs !== undefined && { relay: { leaseMs: config.leaseMs } }),
    middleware: [
      ...(history ? checkMiddleware(app, config, history) : []),
      ...(config.killStep ? [killStepMiddleware(config.killStep)] : []),
    ],
  };
}

/** What a check takes away. Off by default, and around the transport so that no app has a line of it. */
function withFaults(
  app: AppName,
  { sabotage, faults }: PlatformConfig,
  transport: Transport,
  history: History | undefined,
): Transport {
  if (app !== 'gift-api') return sabotage ? sabotagedTransport(transport, sabotage, systemClock) : transport;
  const { drop, rollBack } = faults;
  if (!history || drop + rollBack === 0) return transport;
  return faultyTransport(transport, faults, (event, giftId) => history.writeGift(event, giftId));
}

/** The history is outermost: it must see what the kill prevents. */
function checkMiddleware(app: AppName, config: PlatformConfig, history: History): Middleware[] {
  const kill = app === 'ranking' && config.killAfter !== undefined ? [killMiddleware(config.killAfter, history)] : [];
  return [historyMiddleware(history), ...kill];
}

function databaseOf({ app, config, ownDatabase = false }: PlatformOptions): string {
  if (!ownDatabase) return config.databaseUrl;
  if (config.ownDatabaseUrl !== undefined) return config.ownDatabaseUrl;
  throw new OptionsError('environment.OWN_DATABASE_URL', `${app} has a database of its own; expected its address, found none`); // prettier-ignore
}
