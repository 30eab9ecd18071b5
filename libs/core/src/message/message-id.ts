import { randomBytes } from 'node:crypto';

const RANDOM_BYTES = 8;
/** Asking the operating system for randomness costs more than all the rest of an id. */
const IDS_AT_ONCE = 128;

/**
 * UUIDv7 generator (RFC 9562, section 5.7; the counter is method 1 of section 6.2). Ids of one process ascend, also within a millisecond and
 * when the clock steps back, so that an index on them grows at its right edge.
 */
export class MessageIds {
  #millis = 0;
  #counter = 0;
  #random = Buffer.alloc(0);
  #used = 0;

  constructor(private readonly now: () => number) {}

  next(): string {
    const millis = this.now();
    if (millis > this.#millis) {
      this.#millis = millis;
      this.#counter = randomBytes(2).readUInt16BE() & 0x7ff; // 11 bits: leaves room to count up before the 12 are used
    } else if (++this.#counter > 0xfff) {
      this.#millis += 1;
      this.#counter = 0;
    }
    if (this.#used === this.#random.length) {
      this.#random = randomBytes(RANDOM_BYTES * IDS_AT_ONCE);
      this.#used = 0;
    }
    const bytes = Buffer.allocUnsafe(16);
    bytes.writeUIntBE(this.#millis, 0, 6);
    bytes.writeUInt16BE(0x7000 | this.#counter, 6);
    this.#random.copy(bytes, 8, this.#used, this.#used + RANDOM_BYTES);
    this.#used += RANDOM_BYTES;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}
