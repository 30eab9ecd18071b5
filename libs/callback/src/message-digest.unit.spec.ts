import fc from 'fast-check';
import { messageDigest } from './message-digest';

describe('the digest of a message', () => {
  it('is 32 bytes, the same for the same names', () => {
    expect(messageDigest('shop', 'order 1').toString('hex')).toBe(messageDigest('shop', 'order 1').toString('hex'));
    expect(messageDigest('shop'.repeat(1_000), 'x')).toHaveLength(32);
  });

  it('tells any two names apart, however they are cut', () => {
    const pair = fc.tuple(fc.string(), fc.string());
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1];
        expect(messageDigest(...one).equals(messageDigest(...other))).toBe(same);
      }),
    );
    expect(messageDigest('a', 'bc').equals(messageDigest('ab', 'c'))).toBe(false);
  });
});
