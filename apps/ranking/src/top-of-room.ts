import type { EntityManager } from 'typeorm';
import type { RankedViewer } from '@tidings/gift-contracts';
import { RankedViewerEntity } from './ranked-viewer.entity';

/** A room's best, the richest first; equal sums by name, so that the order is the same every time. Read along the index. */
export async function topOfRoom(manager: EntityManager, roomId: string, limit: number): Promise<RankedViewer[]> {
  const best = await manager.find(RankedViewerEntity, {
    where: { roomId },
    order: { amountMinor: 'desc', viewerId: 'asc' },
    take: limit,
  });
  return best.map(({ viewerId, gifts, amountMinor }) => ({ viewerId, gifts, amountMinor }));
}
