import { Injectable } from '@nestjs/common';
import { type MessageContext, refusalOf } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { GiftSent, POINT_MINOR, PointsRedeemed } from '@tidings/gift-contracts';
import { Compensate, OnMessage } from '@tidings/messaging';
import { addPoints } from './sql/add-points';
import { markRefused } from './sql/mark-refused';

@Injectable()
export class PointsHandler {
  /** A point for each ten that a gift costs. */
  @OnMessage(GiftSent, { group: 'achievements' })
  async grant({ giftId, viewerId, amountMinor }: GiftSent, context: MessageContext): Promise<void> {
    const points = Math.floor(amountMinor / POINT_MINOR);
    if (points > 0) await addPoints(managerOf(context), { kind: 'granted', viewerId, points, reference: giftId });
  }

  /** gift-api refused for good: the points go back. Once: this runs in the inbox's transaction. */
  @Compensate(PointsRedeemed, { ordered: true })
  async refund({ redemptionId, viewerId, points }: PointsRedeemed, context: MessageContext): Promise<void> {
    const manager = managerOf(context);
    await addPoints(manager, { kind: 'refunded', viewerId, points, reference: redemptionId });
    await markRefused(manager, redemptionId, refusalOf(context).reason);
  }
}
