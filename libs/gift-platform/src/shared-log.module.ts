import { type DynamicModule, Inject, Module, type OnApplicationShutdown, Optional } from '@nestjs/common';
import type { PlatformOptions } from './platform.module';
import { SharedLog } from './shared-log';

/** Provides the others' log to an app with a database of its own, when the transport is that log. */
@Module({})
export class SharedLogModule implements OnApplicationShutdown {
  constructor(@Optional() @Inject(SharedLog) private readonly log: SharedLog | undefined) {}

  static register({ app, config, ownDatabase = false }: PlatformOptions): DynamicModule {
    if (!ownDatabase || config.transport.kind !== 'postgres') return { module: SharedLogModule };
    const provider = { provide: SharedLog, useFactory: () => new SharedLog(config.databaseUrl, app) };
    return { module: SharedLogModule, providers: [provider], exports: [SharedLog] };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.log?.close();
  }
}
