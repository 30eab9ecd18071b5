import type { EntityManager } from 'typeorm';
import type { GiftSent } from '@tidings/gift-contracts';

/** Both sides of one gift. The ledger takes them as often as they are appended: it has no key on the gift. */
export async function appendEntries(
  manager: EntityManager,
  gift: GiftSent,
  share: { readonly streamer: number; readonly platform: number },
): Promise<void> {
  await manager.query(
    `insert into revenue_share.ledger_entry (gift_id, room_id, streamer_id, account, amount_minor)
     values ($1, $2, $3, 'streamer', $4), ($1, $2, $3, 'platform', $5)`,
    [gift.giftId, gift.roomId, gift.streamerId, share.streamer, share.platform],
  );
}
