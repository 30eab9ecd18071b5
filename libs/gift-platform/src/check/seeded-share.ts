import { createHash } from 'node:crypto';

const chance = (seed: number, nth: number): number =>
  createHash('sha256').update(`${seed} ${nth}`).digest().readUInt32BE() / 2 ** 32;

/**
 * Tells of each call whether it is one of the share: one of every `1 / share`, at a place among them that the seed chooses. So how many of n are picked is
 * known beforehand, and a small n has its share too.
 */
export function seededShare(share: number, seed: number): () => boolean {
  if (share === 0) return () => false;
  const begin = (stratum: number): number => Math.ceil(stratum / share);
  const placeIn = (stratum: number): number =>
    begin(stratum) + Math.floor(chance(seed, stratum) * (begin(stratum + 1) - begin(stratum)));
  let [call, stratum] = [0, 0];
  return () => {
    if (call >= begin(stratum + 1)) stratum += 1;
    return call++ === placeIn(stratum);
  };
}
