import { Injectable, ServiceUnavailableException, UnprocessableEntityException } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { GiftSent, type GiftView } from '@tidings/gift-contracts';
import { RecheckNotSentError } from '@tidings/messaging';
import { priceOf } from './catalogue';
import { GiftEntity, viewOf } from './gift.entity';
import type { GiftOrder } from './gift-order';
import { GiftPublisher } from './gift-publisher';
import { insertGift } from './sql/insert-gift';
import { takeOrdinal } from './sql/take-ordinal';

export interface SentGift {
  readonly gift: GiftView;
  /** True when an earlier request with the same key wrote it. */
  readonly replayed: boolean;
}

/** Somebody else wrote the key between our look and our insert: our transaction is rolled back, with the ordinal that it took. */
class KeyTakenError extends Error {}

/** Writes a gift and publishes it, in one transaction. */
@Injectable()
export class SendGift {
  constructor(
    private readonly dataSource: DataSource,
    private readonly publisher: GiftPublisher,
  ) {}

  /**
   * @throws UnprocessableEntityException when the key was used for another gift, ServiceUnavailableException when the gift's recheck could not be sent: both
   * have written nothing.
   */
  async send(order: GiftOrder, key: string | null): Promise<SentGift> {
    const earlier = await this.earlier(this.dataSource.manager, order, key);
    if (earlier) return { gift: earlier, replayed: true };
    try {
      return { gift: await this.dataSource.transaction((manager) => this.write(manager, order, key)), replayed: false };
    } catch (error) {
      if (error instanceof RecheckNotSentError) throw new ServiceUnavailableException(error.message, { cause: error });
      if (!(error instanceof KeyTakenError)) throw error;
      const winner = await this.earlier(this.dataSource.manager, order, key);
      if (!winner) throw error;
      return { gift: winner, replayed: true };
    }
  }

  /** The gift that this key already wrote, if it is the same one. @throws UnprocessableEntityException when it is another. */
  async earlier(manager: EntityManager, order: GiftOrder, key: string | null): Promise<GiftView | undefined> {
    const found = key === null ? null : await manager.findOneBy(GiftEntity, { idempotencyKey: key });
    if (!found) return undefined;
    const { roomId, viewerId, gift, quantity } = order;
    if (found.roomId === roomId && found.viewerId === viewerId && found.gift === gift && found.quantity === quantity) {
      return viewOf(found);
    }
    throw new UnprocessableEntityException(
      `Idempotency-Key ${key}: was used for another gift (${found.quantity} × ${found.gift} by ${found.viewerId} in ${found.roomId}); take a new key`,
    );
  }

  /** Joins the caller's transaction. @throws KeyTakenError, after which the transaction must be rolled back. */
  async write(manager: EntityManager, order: GiftOrder, key: string | null): Promise<GiftView> {
    const { streamerId, ordinal } = await takeOrdinal(manager, order.roomId);
    const amountMinor = (priceOf(order.gift) ?? 0) * order.quantity;
    const gift = await insertGift(manager, { ...order, streamerId, ordinal, amountMinor, idempotencyKey: key });
    if (!gift) throw new KeyTakenError(`the key ${key} was taken meanwhile`);
    await this.publisher.within(manager).publish(GiftSent, gift, { id: gift.giftId });
    return gift;
  }
}
