import { z } from 'zod';
import { CATALOGUE } from './catalogue';

const name = z.string().trim().min(1).max(100);
const gifts = CATALOGUE.map((entry) => entry.gift);

/** What a client asks for. */
export const giftOrder = z.strictObject({
  roomId: name,
  viewerId: name,
  gift: z.enum(gifts, { error: `must be one of ${gifts.join(', ')}` }),
  quantity: z.int().min(1).max(9_999).default(1),
});

export type GiftOrder = z.output<typeof giftOrder>;
