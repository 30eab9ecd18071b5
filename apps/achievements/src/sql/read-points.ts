import type { EntityManager } from 'typeorm';

export async function readPoints(manager: EntityManager, viewerId: string): Promise<number> {
  const [account] = await manager.query<{ points: number }[]>(
    `select points::int as points from achievements.points_account where viewer_id = $1`,
    [viewerId],
  );
  return account?.points ?? 0;
}
