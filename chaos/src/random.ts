/** Numbers from 0 to below 1 that a seed repeats: splitmix32. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A seed for each part of a run, so that one part's draws do not shift another's. */
export const seedFor = (seed: number, ...part: readonly (string | number)[]): number => {
  let mixed = seed | 0;
  for (const char of part.join('/')) mixed = Math.imul(mixed ^ char.charCodeAt(0), 0x01000193);
  return mixed;
};
