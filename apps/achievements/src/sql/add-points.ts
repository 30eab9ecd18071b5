import type { EntityManager } from 'typeorm';
import type { PointsEntry } from '../points-entry';

/** Adds to a viewer's account, which may be new, and books it. */
export async function addPoints(manager: EntityManager, entry: PointsEntry): Promise<void> {
  await manager.query(
    `with booked as (
       insert into achievements.points_entry (viewer_id, kind, points, reference) values ($1, $2, $3, $4))
     insert into achievements.points_account as account (viewer_id, points) values ($1, $3)
     on conflict (viewer_id) do update set points = account.points + excluded.points`,
    [entry.viewerId, entry.kind, entry.points, entry.reference],
  );
}
