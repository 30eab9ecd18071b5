import { type INestApplication, Logger, type LogLevel } from '@nestjs/common';
import { asError } from '@tidings/core';
import type { AddressInfo, Server } from 'node:net';
import { migrateDemo } from '@tidings-demo/migrations';
import { type PlatformConfig, platformConfig } from './platform-config';

const LEVELS: LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug'];

/**
 * Starts one app of the demo: configuration from the environment, tables if asked, HTTP on a free port. When it was forked, it tells its parent
 * `{ ready: true, port }`, and leaves, drained, when the parent is gone: a killed demo leaves no orphan.
 */
export async function serve(
  create: (config: PlatformConfig) => Promise<INestApplication>,
  migrate: (config: PlatformConfig) => Promise<unknown> = ({ databaseUrl }) => migrateDemo(databaseUrl),
): Promise<void> {
  const logger = new Logger('Tidings demo');
  let app: INestApplication | undefined;
  process.once('disconnect', () => {
    logger.log('the parent is gone: draining');
    void Promise.resolve(app?.close()).finally(() => process.exit());
  });
  try {
    const config = platformConfig(process.env);
    Logger.overrideLogger(LEVELS.slice(0, LEVELS.indexOf(config.logLevel) + 1));
    if (config.migrate === 'onStart') await migrate(config);
    app = await create(config);
    app.enableShutdownHooks();
    app.enableCors({ exposedHeaders: ['Retry-After', 'Idempotency-Replayed'] }); // the page is served from another port
    await app.listen(config.port);
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    process.send?.({ ready: true, port });
    logger.log(`listening on http://127.0.0.1:${port}`);
  } catch (thrown) {
    logger.error(asError(thrown).message);
    process.exit(1); // whatever was half started would keep the process alive
  }
}
