import { defineMessage, type PayloadOf } from '@tidings/core';
import { z } from 'zod';
import { minorUnits, name } from './fields';

/** The room's top changed. Carries the whole new top, so that a screen which missed one shows the right thing with the next. */
export const RankingChanged = defineMessage('ranking.changed', {
  version: 1,
  schema: z.object({
    roomId: name,
    /** Best first, ten at most. */
    top: z.array(z.object({ viewerId: name, amountMinor: minorUnits, gifts: z.int().min(0) })).max(10),
  }),
  key: (ranking) => ranking.roomId,
});

export type RankingChanged = PayloadOf<typeof RankingChanged>;
