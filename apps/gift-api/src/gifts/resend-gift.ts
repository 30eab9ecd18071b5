import { Injectable } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { GiftSent, type GiftView } from '@tidings/gift-contracts';
import { OnResend, type ResendQuestion } from '@tidings/messaging';
import { GiftEntity, viewOf } from './gift.entity';

/** Answers the callback service from the gifts themselves: the message has the gift's id, and a row never changes. */
@Injectable()
export class ResendGift {
  @OnResend(GiftSent)
  async again({ id }: ResendQuestion, context: MessageContext): Promise<GiftView | undefined> {
    const gift = await managerOf(context).findOneBy(GiftEntity, { giftId: id });
    return gift ? viewOf(gift) : undefined;
  }
}
