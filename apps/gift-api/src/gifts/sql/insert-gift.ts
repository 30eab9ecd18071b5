import type { EntityManager } from 'typeorm';
import type { GiftView } from '@tidings/gift-contracts';

export type NewGift = Omit<GiftView, 'giftId' | 'seq' | 'sentAt'>;

/** The gift as written, or undefined when its idempotency key is taken. Waits for a transaction that is just writing the same key. */
export async function insertGift(manager: EntityManager, gift: NewGift): Promise<GiftView | undefined> {
  const [row] = await manager.query<{ gift_id: string; seq: string; sent_at: Date }[]>(
    `insert into gift_api.gift (gift_id, room_id, streamer_id, viewer_id, gift, quantity, amount_minor, ordinal, idempotency_key)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (idempotency_key) do nothing
     returning gift_id, seq, sent_at`,
    [
      gift.roomId,
      gift.streamerId,
      gift.viewerId,
      gift.gift,
      gift.quantity,
      gift.amountMinor,
      gift.ordinal,
      gift.idempotencyKey,
    ],
  );
  return row && { ...gift, giftId: row.gift_id, seq: Number(row.seq), sentAt: row.sent_at.toISOString() };
}
