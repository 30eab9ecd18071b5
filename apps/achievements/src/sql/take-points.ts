import type { EntityManager } from 'typeorm';

/** Takes points off a viewer's account; false, and nothing is taken, when there are too few. The row's lock makes concurrent redemptions see each other. */
export async function takePoints(manager: EntityManager, viewerId: string, points: number): Promise<boolean> {
  const [, taken] = await manager.query<[unknown, number]>(
    `update achievements.points_account set points = points - $2 where viewer_id = $1 and points >= $2`,
    [viewerId, points],
  );
  return taken === 1;
}
