import { Injectable } from '@nestjs/common';
import { exponential, type MessageContext, RefusedError } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { POINT_MINOR, PointsRedeemed } from '@tidings/gift-contracts';
import { OnMessage } from '@tidings/messaging';
import { priceOf } from '../gifts/catalogue';
import { giftOrder } from '../gifts/gift-order';
import { SendGift } from '../gifts/send-gift';

/** Writes the gifts that are paid for with points. What cannot be sold for them is refused for good, and the points go back. */
@Injectable()
export class RedeemPointsHandler {
  constructor(private readonly sendGift: SendGift) {}

  @OnMessage(PointsRedeemed, { group: 'gift-api', ordered: true, retry: exponential({ attempts: 10 }) })
  async redeem({ viewerId, roomId, gift, points }: PointsRedeemed, context: MessageContext): Promise<void> {
    const order = giftOrder.safeParse({ viewerId, roomId, gift });
    if (!order.success) throw new RefusedError(`${gift} is not sold`);
    const costs = Math.ceil((priceOf(order.data.gift) ?? 0) / POINT_MINOR);
    if (points < costs) throw new RefusedError(`${gift} costs ${costs} points, ${points} were paid`);
    await this.sendGift.write(managerOf(context), order.data, null);
  }
}
