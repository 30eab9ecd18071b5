import { murmur2, partitionOfKey } from './partitioner';

/** Of Kafka's own UtilsTest.testMurmur2. */
const VECTORS: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
];

describe('the partition of a key', () => {
  it.each(VECTORS)("hashes %s as Java's client does", (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('is never negative, and within the topic', () => {
    for (const [key] of VECTORS) {
      const partition = partitionOfKey(Buffer.from(key), 7);
      expect(partition >= 0 && partition < 7).toBe(true);
    }
    expect(partitionOfKey(Buffer.from('foobar'), 8)).toBe((-790332482 & 0x7fffffff) % 8);
  });
});
