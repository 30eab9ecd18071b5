import type { PlannedGift } from './gift-generator';
import { seededRandom } from './random';

/** Gifts before and after the poison one that move to its room: some that are done, and some that must wait. */
const BEFORE = 2;
const AFTER = 5;

/**
 * Makes a share of the gifts poison, spread over the evening. Each gets a room of its own, with a few of its neighbours, so that each is the head of a
 * key; the other rooms have none, and must go on. The same seed makes the same ones poison.
 */
export function poisonGifts(gifts: readonly PlannedGift[], share: number, seed: number): PlannedGift[] {
  const count = Math.max(1, Math.round(gifts.length * share));
  const stride = Math.floor(gifts.length / count);
  const random = seededRandom(seed ^ 0x27d4eb2d);
  const planned = [...gifts];
  for (let nth = 0; nth < count; nth++) {
    const at = nth * stride + Math.floor(random() * stride);
    const from = Math.max(nth * stride, at - BEFORE);
    const to = Math.min((nth + 1) * stride - 1, at + AFTER);
    for (let index = from; index <= to; index++)
      planned[index] = { ...planned[index]!, roomId: `room with poison ${nth + 1}` };
    planned[at] = { ...planned[at]!, viewerId: `poison ${nth + 1}` };
  }
  return planned;
}

export const isPoison = ({ viewerId }: Pick<PlannedGift, 'viewerId'>): boolean => viewerId.startsWith('poison ');
