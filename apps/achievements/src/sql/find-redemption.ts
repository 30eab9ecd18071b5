import type { EntityManager } from 'typeorm';
import type { RedemptionView } from '@tidings/gift-contracts';

export async function findRedemption(manager: EntityManager, id: string): Promise<RedemptionView | undefined> {
  const [found] = await manager.query<RedemptionView[]>(
    `select redemption_id as "redemptionId", viewer_id as "viewerId", room_id as "roomId", gift, points::int as points, refusal
       from achievements.redemption where redemption_id = $1`,
    [id],
  );
  return found;
}
