import { defineMessage, type PayloadOf } from '@tidings/core';
import { z } from 'zod';
import { minorUnits, name } from './fields';

/** A viewer reached a higher level. */
export const BadgeUpgraded = defineMessage('badge.upgraded', {
  version: 1,
  schema: z.object({
    viewerId: name,
    /** Where the gift that did it was given; its screens show the new badge. */
    roomId: name,
    level: z.int().min(1),
    badge: name,
    amountMinor: minorUnits,
  }),
  key: (badge) => badge.viewerId,
});

export type BadgeUpgraded = PayloadOf<typeof BadgeUpgraded>;
