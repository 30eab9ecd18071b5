import { badgeLevel } from './badge-level';

describe('the badge of a sum', () => {
  it.each([
    [0, 0, 'none', 500],
    [499, 0, 'none', 1],
    [500, 1, 'bronze', 2_000],
    [9_999, 2, 'silver', 1],
    [10_000, 3, 'gold', 40_000],
    [1_000_000, 5, 'diamond', null],
  ])('%i is level %i, %s, with %s to go', (amount, level, badge, toNextMinor) => {
    expect(badgeLevel(amount)).toEqual({ level, badge, toNextMinor });
  });
});
