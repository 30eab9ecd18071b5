import type { EntityManager } from 'typeorm';
import type { GiftSent } from '@tidings/gift-contracts';

/** Adds a gift to its viewer's sum and tells the sum after it. The row's lock makes concurrent gifts of one viewer see each other's sums. */
export async function addToViewer(manager: EntityManager, gift: GiftSent): Promise<number> {
  const [viewer] = await manager.query<{ amount_minor: string }[]>(
    `insert into badges.viewer as viewer (viewer_id, gifts, amount_minor) values ($1, 1, $2)
     on conflict (viewer_id)
     do update set gifts = viewer.gifts + 1, amount_minor = viewer.amount_minor + excluded.amount_minor
     returning amount_minor`,
    [gift.viewerId, gift.amountMinor],
  );
  return Number(viewer?.amount_minor);
}
