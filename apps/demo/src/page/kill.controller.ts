import {
  Controller,
  ForbiddenException,
  Headers,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
} from '@nestjs/common';
import { APP_NAMES, type AppName } from '../apps/app-fleet';

/** Ends an app's process by SIGKILL; its supervisor starts it again. */
export type KillApp = (app: AppName) => void;
export const KILL_APP = Symbol('KILL_APP');

/** For whoever does not believe it: any app can be killed from the page, at any moment. */
@Controller('apps')
export class KillController {
  constructor(@Inject(KILL_APP) private readonly killApp: KillApp) {}

  /** Insists on a header that a foreign page cannot send unasked, so that no other site can kill anything here. */
  @Post(':name/kill')
  @HttpCode(202)
  kill(@Param('name') name: string, @Headers('x-tidings-demo') from: string | undefined): { readonly killed: AppName } {
    if (from === undefined) throw new ForbiddenException('the header x-tidings-demo is missing');
    const app = APP_NAMES.find((known) => known === name);
    if (!app) throw new NotFoundException(`${name} is no app; expected one of ${APP_NAMES.join(', ')}`);
    this.killApp(app);
    return { killed: app };
  }
}
