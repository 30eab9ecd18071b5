import { Injectable } from '@nestjs/common';
import { exponential, type MessageContext, OnMessage, RetryAfterError, TimeoutError } from '@tidings/messaging';
import { GiftSent } from './gift-pipeline';

// The code that docs/retries.md shows, compiled and linted; the behaviour is in libs/core/src/handling and libs/messaging/src.

class UnknownRoomError extends Error {}

// #region policy
@Injectable()
export class NotifyPartner {
  @OnMessage(GiftSent, {
    group: 'partner',
    retry: exponential({
      attempts: 5,
      jitter: 'full',
      on: [
        [TimeoutError, { attempts: 3, delayMs: 5_000 }],
        [UnknownRoomError, 'never'],
      ],
    }),
    timeoutMs: 10_000,
    circuit: { failures: 10, openMs: 30_000 },
  })
  async notify(gift: GiftSent, context: MessageContext): Promise<void> {
    const body = JSON.stringify(gift);
    const response = await fetch('https://partner.example/gifts', { method: 'POST', body, signal: context.signal });
    if (response.status === 404) throw new UnknownRoomError('the partner does not know the room');
    if (response.status === 429) {
      throw new RetryAfterError('the partner is busy', Number(response.headers.get('retry-after') ?? 1) * 1_000);
    }
    if (!response.ok) throw new Error(`the partner answered ${response.status}`);
  }
}
// #endregion

@Injectable()
export class NotifyPartnerWithinBudget {
  // #region budget
  @OnMessage(GiftSent, { group: 'partner-budget', retryBudget: { perSecond: 20, burst: 100, name: 'partner' } })
  // #endregion
  async notify(gift: GiftSent): Promise<void> {
    await fetch('https://partner.example/gifts', { method: 'POST', body: JSON.stringify(gift) });
  }
}
