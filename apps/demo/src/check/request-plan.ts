import type { PlannedGift } from './gift-generator';
import { seededRandom } from './random';

/** What one client sends at once, and waits for: a gift, or a gift and its impatient twin. */
export type Turn = readonly PlannedGift[];

/** Of the gifts, the share that is sent twice at once, and the share that is sent again later. */
const AT_ONCE = 0.05;
const LATER = 0.05;
/** How many turns later at most. */
const LATER_BY = 100;

/** The gifts in their order, about a tenth of them repeated with the same Idempotency-Key, as clients do that saw a time-out. */
export function planRequests(gifts: readonly PlannedGift[], seed: number): Turn[] {
  const random = seededRandom(seed ^ 0x5bd1e995);
  const slots: Turn[][] = gifts.map(() => []);
  const end: Turn[] = [];
  gifts.forEach((gift, index) => {
    const chance = random();
    slots[index]!.push(chance < AT_ONCE ? [gift, gift] : [gift]);
    if (chance >= AT_ONCE && chance < AT_ONCE + LATER) {
      const later = slots[index + 1 + Math.floor(random() * LATER_BY)] ?? end;
      later.push([gift]);
    }
  });
  return [...slots, end].flat();
}
