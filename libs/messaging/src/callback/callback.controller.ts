import { Controller, Get } from '@nestjs/common';
import { CallbackDesk, type CallbackMeasures, type ExpectedSubscription } from '@tidings/callback';

/** What the callback service knows, for a person or a monitor. */
@Controller('callback')
export class CallbackController {
  constructor(private readonly desk: CallbackDesk) {}

  @Get('measures')
  measures(): Promise<CallbackMeasures> {
    return this.desk.measures();
  }

  @Get('subscriptions')
  subscriptions(): Promise<readonly ExpectedSubscription[]> {
    return this.desk.subscriptions();
  }
}
