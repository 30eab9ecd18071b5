import { type PointsEvidence, pointsVerdict } from './points-verdict.fixture';

const good: PointsEvidence = {
  accounts: [
    { viewerId: 'ann', points: 5 },
    { viewerId: 'bob', points: 10 },
  ],
  entries: [
    { viewerId: 'ann', kind: 'granted', points: 10, reference: 'g1' },
    { viewerId: 'ann', kind: 'redeemed', points: -5, reference: 'r1' },
    { viewerId: 'bob', kind: 'granted', points: 10, reference: 'g2' },
    { viewerId: 'bob', kind: 'redeemed', points: -5, reference: 'r2' },
    { viewerId: 'bob', kind: 'refunded', points: 5, reference: 'r2' },
  ],
  redemptions: [
    { redemptionId: 'r1', viewerId: 'ann', points: 5, refusal: null },
    { redemptionId: 'r2', viewerId: 'bob', points: 5, refusal: 'not sold' },
  ],
  given: new Map([['ann', 1]]),
  gifts: [
    { giftId: 'g1', viewerId: 'ann', points: 10 },
    { giftId: 'g2', viewerId: 'bob', points: 10 },
  ],
};

describe('pointsVerdict', () => {
  it('finds nothing wrong with what is right', () => {
    expect(pointsVerdict(good)).toEqual([]);
  });

  it.each<[string, Partial<PointsEvidence>, string]>([
    ['a refund twice', { entries: [...good.entries, good.entries[4]!] }, 'refunded r2: expected 1 × 5, found 5, 5'],
    ['a refund that is missing', { entries: good.entries.slice(0, 4) }, 'refunded r2: expected 1 × 5, found none'],
    ['a grant twice', { entries: [...good.entries, good.entries[0]!] }, 'granted g1: expected 1 × 10, found 10, 10'],
    ['a gift that nobody gave', { given: new Map() }, 'r1: accepted, and given 0 times'],
    ['a gift twice', { given: new Map([['ann', 2]]) }, 'r1: accepted, and given 2 times'],
    ['a gift that was refused', { given: new Map([['ann', 1], ['bob', 1]]) }, 'r2: refused (not sold), and given 1 times'], // prettier-ignore
    ['an account that is off', { accounts: [{ viewerId: 'ann', points: 6 }] }, 'ann: has 6 points, and 5 are booked'],
  ])('finds %s', (_, wrong, problem) => {
    expect(pointsVerdict({ ...good, ...wrong })).toContain(problem);
  });
});
