import type { EntityManager } from 'typeorm';
import type { GiftSent } from '@tidings/gift-contracts';

/** An increment: applied twice, it counts twice. That it is not is the inbox's work, nothing here would notice. */
export async function addToViewer(manager: EntityManager, gift: GiftSent): Promise<void> {
  await manager.query(
    `insert into ranking.ranked_viewer as viewer (room_id, viewer_id, gifts, amount_minor) values ($1, $2, 1, $3)
     on conflict (room_id, viewer_id)
     do update set gifts = viewer.gifts + 1, amount_minor = viewer.amount_minor + excluded.amount_minor`,
    [gift.roomId, gift.viewerId, gift.amountMinor],
  );
}
