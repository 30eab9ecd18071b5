import { seededRandom } from './random';

/** A gift that a client will ask for. */
export interface PlannedGift {
  readonly roomId: string;
  readonly viewerId: string;
  readonly gift: string;
  readonly quantity: number;
  readonly idempotencyKey: string;
}

export interface GeneratorOptions {
  readonly count: number;
  readonly seed: number;
  /** Before every Idempotency-Key. */
  readonly run: string;
  /** The first is the hot one. */
  readonly rooms: readonly string[];
  readonly gifts: readonly string[];
  /** Default 120. */
  readonly viewers?: number;
}

/**
 * Gifts as an evening has them: the k-th room gets a share of 1/k (so the first has about 40 % of six rooms), a few viewers give most, and most
 * gifts are small. The same seed plans the same gifts.
 */
export function generateGifts({ count, seed, run, rooms, gifts, viewers = 120 }: GeneratorOptions): PlannedGift[] {
  const random = seededRandom(seed);
  const room = skewed(rooms, random);
  const gift = skewed(gifts, random);
  const viewer = skewed(
    Array.from({ length: viewers }, (_, index) => `viewer-${String(index + 1).padStart(3, '0')}`),
    random,
  );
  return Array.from({ length: count }, (_, index) => ({
    roomId: room(),
    viewerId: viewer(),
    gift: gift(),
    quantity: random() < 0.8 ? 1 : 2 + Math.floor(random() * 9),
    idempotencyKey: `${run}-${index + 1}`,
  }));
}

/** Draws the k-th choice with weight 1/k. */
function skewed<T>(choices: readonly T[], random: () => number): () => T {
  const bounds: number[] = [];
  let sum = 0;
  for (let k = 1; k <= choices.length; k++) bounds.push((sum += 1 / k));
  return () => {
    const at = random() * sum;
    return choices[bounds.findIndex((bound) => at < bound)] ?? choices[0]!;
  };
}
