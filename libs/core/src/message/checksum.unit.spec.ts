import { crc32c } from './checksum';

const bytes = (length: number, at: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => at(i));

/** RFC 3720, B.4, the iSCSI read command of its last example. */
const READ_COMMAND = [
  '01c00000000000000000000000000000',
  '14000000000004000000001400000018',
  '28000000000000000200000000000000',
].join('');

describe('CRC-32C', () => {
  // RFC 3720, B.4 writes the four bytes in the order they are sent: aa 36 91 8a is 0x8a9136aa.
  it.each([
    ['32 bytes of zeroes', bytes(32, () => 0), 0x8a9136aa],
    ['32 bytes of ones', bytes(32, () => 0xff), 0x62a8ab43],
    ['32 bytes, incrementing', bytes(32, (i) => i), 0x46dd794e],
    ['32 bytes, decrementing', bytes(32, (i) => 31 - i), 0x113fdb5c],
    ['an iSCSI read command', Buffer.from(READ_COMMAND, 'hex'), 0xd9963a56],
    ['the digits 1 to 9', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s is as published', (_, input, expected) => {
    expect(crc32c(input)).toBe(expected);
  });

  it('changes with any single bit', () => {
    const payload = Buffer.from('{"roomId":"r1","coins":5}');
    const clean = crc32c(payload);
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const damaged = Buffer.from(payload);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32c(damaged)).not.toBe(clean);
    }
  });
});
