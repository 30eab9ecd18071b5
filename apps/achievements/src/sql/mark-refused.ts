import type { EntityManager } from 'typeorm';

export async function markRefused(manager: EntityManager, redemptionId: string, reason: string): Promise<void> {
  await manager.query(`update achievements.redemption set refusal = $2 where redemption_id = $1`, [
    redemptionId,
    reason,
  ]);
}
