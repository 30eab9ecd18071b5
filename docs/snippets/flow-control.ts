import { Body, Controller, Injectable, Post, UseGuards } from '@nestjs/common';
import { BacklogGate, backlogGate, OnMessage, Subscriptions } from '@tidings/messaging';
import { GiftSent } from './gift-pipeline';

// The code that docs/flow-control.md shows, compiled and linted; the behaviour is in the specs that the page names.

// #region operator
@Injectable()
export class NightShift {
  constructor(private readonly subscriptions: Subscriptions) {}

  async partnerIsDown(): Promise<void> {
    await this.subscriptions.pause('partner@gift.sent', { by: 'ann', reason: 'the partner is down, ticket 4711' });
    await this.subscriptions.setConcurrency('ranking@gift.sent', 2, { by: 'ann' });
  }

  async partnerIsBack(): Promise<void> {
    await this.subscriptions.resume('partner@gift.sent');
    await this.subscriptions.setConcurrency('ranking@gift.sent', null, { by: 'ann' });
    const decided = await this.subscriptions.list(); // what is still paused, since when, by whom and why
    if (decided.length > 0) throw new Error(`still under control: ${JSON.stringify(decided)}`);
  }
}
// #endregion

// #region gate
@Controller('gifts')
export class RushController {
  @Post()
  @UseGuards(BacklogGate) // as messaging.backlogGate says, e.g. { maxBacklog: 5_000, retryAfterS: 2 }
  send(@Body() gift: object): object {
    return gift;
  }

  @Post('bulk')
  @UseGuards(backlogGate({ maxBacklog: 500, resumeAt: 100, topics: ['gift.sent'] }))
  sendMany(@Body() gifts: object[]): object[] {
    return gifts;
  }
}
// #endregion

// #region pace
@Injectable()
export class Fireworks {
  @OnMessage(GiftSent, {
    group: 'fireworks',
    ordered: true,
    priority: (gift: GiftSent) => (gift.coins >= 1_000 ? 1 : 0),
    rateLimit: { perSecond: 50, burst: 100 },
  })
  show(gift: GiftSent): void {
    void gift;
  }
}
// #endregion
