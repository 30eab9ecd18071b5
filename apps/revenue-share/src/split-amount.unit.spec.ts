import fc from 'fast-check';
import { splitAmount } from './split-amount';

describe('splitting an amount', () => {
  it.each([
    [0, 0, 0],
    [1, 0, 1],
    [10, 6, 4],
    [1_999, 1_199, 800],
  ])('%i gives the streamer %i and the platform %i', (amount, streamer, platform) => {
    expect(splitAmount(amount)).toEqual({ streamer, platform });
  });

  it('never makes or loses money, nor splits a minor unit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000_000_000 }), (amount) => {
        const { streamer, platform } = splitAmount(amount);
        expect(streamer + platform).toBe(amount);
        expect([streamer, platform].every((share) => Number.isInteger(share) && share >= 0)).toBe(true);
      }),
    );
  });
});
