import { Controller, HttpCode, Inject, NotFoundException, Param, Post, UseGuards } from '@nestjs/common';
import { APP_NAMES, type AppName } from '../apps/app-fleet';
import { FromPageGuard } from './from-page.guard';

/** Ends an app's process by SIGKILL; its supervisor starts it again. */
export type KillApp = (app: AppName) => void;
export const KILL_APP = Symbol('KILL_APP');

/** For whoever does not believe it: any app can be killed from the page, at any moment. */
@Controller('apps')
export class KillController {
  constructor(@Inject(KILL_APP) private readonly killApp: KillApp) {}

  @Post(':name/kill')
  @HttpCode(202)
  @UseGuards(FromPageGuard)
  kill(@Param('name') name: string): { readonly killed: AppName } {
    const app = APP_NAMES.find((known) => known === name);
    if (!app) throw new NotFoundException(`${name} is no app; expected one of ${APP_NAMES.join(', ')}`);
    this.killApp(app);
    return { killed: app };
  }
}
