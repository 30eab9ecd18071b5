import { Injectable } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { defineMessage, OnResend, type PayloadOf, RecheckingPublisher, type ResendQuestion } from '@tidings/messaging';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';

const GiftSent = defineMessage('gift.sent', { schema: z.object({ giftId: z.string(), coins: z.number() }) });
type Gift = PayloadOf<typeof GiftSent>;
declare function saveGift(manager: EntityManager, gift: Gift): Promise<void>;
declare function findGift(manager: EntityManager, giftId: string): Promise<Gift | undefined>;

// #region send
@Injectable()
export class Gifts {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rechecking: RecheckingPublisher,
  ) {}

  async send(gift: Gift): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await saveGift(manager, gift);
      await this.rechecking.within(manager).publish(GiftSent, gift, { id: gift.giftId });
    });
  }

  @OnResend(GiftSent)
  again({ id }: ResendQuestion, context: MessageContext): Promise<Gift | undefined> {
    return findGift(managerOf(context), id);
  }
}
// #endregion
