import { seededShare } from './seeded-share';

const picked = (share: number, seed: number, calls: number): number[] => {
  const pick = seededShare(share, seed);
  return Array.from({ length: calls }, (_, call) => (pick() ? call : -1)).filter((call) => call >= 0);
};

describe('a seeded share', () => {
  it.each([
    [0.05, 2_000, 100],
    [0.03, 2_000, 60],
    [0.02, 50, 1],
    [0.5, 10, 5],
    [0, 1_000, 0],
  ])('of %d of %i calls is %i', (share, calls, expected) => {
    expect(picked(share, 1, calls)).toHaveLength(expected);
  });

  it('picks one of every so many', () => {
    const strata = picked(0.05, 7, 200).map((call) => Math.floor(call / 20));
    expect(strata).toEqual(Array.from({ length: 10 }, (_, n) => n));
  });

  it('is the same for the same seed, and another for another', () => {
    expect(picked(0.05, 1, 500)).toEqual(picked(0.05, 1, 500));
    expect(picked(0.05, 1, 500)).not.toEqual(picked(0.05, 2, 500));
  });
});
