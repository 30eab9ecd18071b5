import { type DynamicModule, Module } from '@nestjs/common';
import type { AppAddress } from '../apps/app-reads';
import { KILL_APP, type KillApp, KillController } from './kill.controller';
import { Rush } from './rush';
import { RushController } from './rush.controller';

export interface PageOptions {
  readonly addressOf: AppAddress;
  readonly killApp: KillApp;
}

/** What the page can do besides asking the apps. */
@Module({})
export class PageModule {
  static register({ addressOf, killApp }: PageOptions): DynamicModule {
    return {
      module: PageModule,
      controllers: [KillController, RushController],
      providers: [
        { provide: KILL_APP, useValue: killApp },
        { provide: Rush, useValue: new Rush(addressOf) },
      ],
    };
  }
}
