import { defineMessage, type PayloadOf } from '@tidings/core';
import { z } from 'zod';
import { name } from './fields';

/** What a bonus point is worth, in the currency's smallest unit. */
export const POINT_MINOR = 10;

/** A viewer pays for a gift with bonus points, which are debited already. Whoever refuses this for good has them refunded. */
export const PointsRedeemed = defineMessage('points.redeemed', {
  version: 1,
  schema: z.object({
    redemptionId: z.uuid(),
    viewerId: name,
    roomId: name,
    /** As the viewer said it: only gift-api knows what is sold, and for how much. */
    gift: name,
    points: z.int().min(1),
  }),
  key: (redemption) => redemption.viewerId,
  refusable: true,
});

export type PointsRedeemed = PayloadOf<typeof PointsRedeemed>;
