import { type DynamicModule, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { MESSAGING_SUBSTITUTES } from '@tidings/messaging';
import { type MemoryDataSource, memoryDataSource } from './memory-data-source';
import type { TidingsTestingOptions } from './testing.options';
import { TidingsHarness } from './tidings-harness';

/** The module for one application at a time, and what stands for its DataSource. */
export interface TidingsTesting extends DynamicModule {
  /** `.overrideProvider(DataSource).useValue(kit.dataSource)`: its transactions are those of the application's only store, or of the one called `default`. */
  readonly dataSource: MemoryDataSource;
}

/**
 * Put beside an application's modules, it gives their MessagingModule transports, stores and a clock in memory; all else (handlers, routes, retries,
 * guards) stays the application's own: `Test.createTestingModule({ imports: [AppModule, TidingsTestingModule.forRoot()] })`.
 */
@Module({})
export class TidingsTestingModule {
  static forRoot(options: TidingsTestingOptions = {}): TidingsTesting {
    let harness: TidingsHarness | undefined;
    const definition: DynamicModule = {
      module: TidingsTestingModule,
      global: true,
      providers: [
        {
          provide: TidingsHarness,
          inject: [ModuleRef],
          useFactory: (modules: ModuleRef) => (harness = new TidingsHarness(modules, options)),
        },
        {
          provide: MESSAGING_SUBSTITUTES,
          inject: [TidingsHarness],
          useFactory: ({ substitutes }: TidingsHarness) => substitutes,
        },
      ],
      exports: [TidingsHarness, MESSAGING_SUBSTITUTES],
    };
    // Not enumerable: it is no part of what Nest reads, and may hash.
    return Object.defineProperty(definition, 'dataSource', {
      value: memoryDataSource(() => harness),
    }) as TidingsTesting;
  }
}
