import { type DynamicModule, Inject, Module, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { AppName } from '../app-name';
import type { PlatformConfig } from '../platform-config';
import { History } from './history';
import { HistoryInterceptor } from './history.interceptor';

/** Provides the history when the configuration asks for one, and nothing otherwise. */
@Module({})
export class HistoryModule implements OnApplicationShutdown {
  constructor(@Optional() @Inject(History) private readonly history: History | undefined) {}

  static register(app: AppName, config: PlatformConfig): DynamicModule {
    if (!config.history) return { module: HistoryModule };
    return {
      module: HistoryModule,
      providers: [
        { provide: History, useFactory: () => new History(config.databaseUrl, app, config.run) },
        {
          provide: APP_INTERCEPTOR,
          useFactory: (history: History) => new HistoryInterceptor(history),
          inject: [History],
        },
      ],
      exports: [History],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.history?.close();
  }
}
