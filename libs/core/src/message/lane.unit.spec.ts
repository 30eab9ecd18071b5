import fc from 'fast-check';
import { fnv1a32, LANES, laneOf } from './lane';

describe('FNV-1a', () => {
  // The vectors of docs/wire-format.md: whoever writes a client in another language checks against these.
  it.each([
    ['', '811c9dc5'],
    ['a', 'e40c292c'],
    ['b', 'e70c2de5'],
    ['foobar', 'bf9cf968'],
    ['room-1', 'be84ce8c'],
    ['ü', '119dd44a'],
    ['直播间', 'a0d07790'],
    ['🎁', '78d789a1'],
  ])('of "%s" is %s', (text, hex) => {
    expect(fnv1a32(text).toString(16).padStart(8, '0')).toBe(hex);
  });

  it('is over UTF-8 bytes, unsigned', () => {
    const slow = (text: string): bigint =>
      [...Buffer.from(text)].reduce((hash, byte) => ((hash ^ BigInt(byte)) * 16777619n) % 2n ** 32n, 2166136261n);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => fnv1a32(text) === Number(slow(text))));
  });
});

describe('the lane', () => {
  it("is its key's, and its id's without a key; an empty key is a key", () => {
    expect(laneOf({ key: 'foobar', id: 'x' })).toBe(0xbf9cf968 % LANES);
    expect(laneOf({ key: null, id: 'foobar' })).toBe(0xbf9cf968 % LANES);
    expect(laneOf({ key: '', id: 'foobar' })).toBe(0x811c9dc5 % LANES);
  });

  it('spreads keys: none of the 64 gets twice its share of 64,000', () => {
    const counts = new Array<number>(LANES).fill(0);
    for (let n = 0; n < 64_000; n++) counts[laneOf({ key: `room-${n}`, id: '' })]!++;
    expect(Math.max(...counts)).toBeLessThan(2_000);
    expect(Math.min(...counts)).toBeGreaterThan(500);
  });
});
