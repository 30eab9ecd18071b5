import type { EntityManager } from 'typeorm';
import type { PointsRedeemed } from '@tidings/gift-contracts';

/** False when its id is known: an earlier request wrote it, or is just writing it, which is waited for. */
export async function insertRedemption(manager: EntityManager, redemption: PointsRedeemed): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `insert into achievements.redemption (redemption_id, viewer_id, room_id, gift, points) values ($1, $2, $3, $4, $5)
     on conflict (redemption_id) do nothing returning redemption_id`,
    [redemption.redemptionId, redemption.viewerId, redemption.roomId, redemption.gift, redemption.points],
  );
  return rows.length === 1;
}
