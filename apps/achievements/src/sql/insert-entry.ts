import type { EntityManager } from 'typeorm';
import type { PointsEntry } from '../points-entry';

export async function insertEntry(manager: EntityManager, entry: PointsEntry): Promise<void> {
  await manager.query(
    `insert into achievements.points_entry (viewer_id, kind, points, reference) values ($1, $2, $3, $4)`,
    [entry.viewerId, entry.kind, entry.points, entry.reference],
  );
}
