import { Injectable } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { GiftSent } from '@tidings/gift-contracts';
import { OnMessage } from '@tidings/messaging';
import { splitAmount } from './split-amount';
import { appendEntries } from './sql/append-entries';

@Injectable()
export class ShareRevenueHandler {
  /** Unordered: a ledger's sum is the same in every order. */
  @OnMessage(GiftSent, { group: 'revenue-share', concurrency: 4 })
  async share(gift: GiftSent, context: MessageContext): Promise<void> {
    await appendEntries(managerOf(context), gift, splitAmount(gift.amountMinor));
  }
}
