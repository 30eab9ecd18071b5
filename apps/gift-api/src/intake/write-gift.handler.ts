import { HttpException, Injectable } from '@nestjs/common';
import { exponential, type MessageContext, NonRetriableError } from '@tidings/core';
import { managerOf } from '@tidings/database';
import { GiftRequested } from '@tidings/gift-contracts';
import { OnMessage } from '@tidings/messaging';
import { giftOrder } from '../gifts/gift-order';
import { SendGift } from '../gifts/send-gift';

/** A key that was used for another gift stays used, however often the request is tried. */
const refusalsAreFinal = exponential({ nonRetriable: (error) => error instanceof HttpException });

/** Writes the gifts that the intake enqueued, by the same code and in the inbox's transaction: gift, message and dedupe row commit together. */
@Injectable()
export class WriteGiftHandler {
  constructor(private readonly sendGift: SendGift) {}

  @OnMessage(GiftRequested, { group: 'gift-intake', ordered: true, concurrency: 4, retry: refusalsAreFinal })
  async write({ requestId, idempotencyKey, ...wanted }: GiftRequested, context: MessageContext): Promise<void> {
    const order = giftOrder.safeParse(wanted);
    if (!order.success)
      throw new NonRetriableError(`request ${requestId} asks for a gift that is not sold: ${wanted.gift}`);
    const manager = managerOf(context);
    if (await this.sendGift.earlier(manager, order.data, idempotencyKey)) return;
    await this.sendGift.write(manager, order.data, idempotencyKey);
  }
}
