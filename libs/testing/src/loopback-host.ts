import { randomBytes } from 'node:crypto';

/** An address of this machine that nobody else listens on: for a proxy whose clients are told by the server which port to come to. */
export function loopbackHost(): string {
  const [a, b, c] = randomBytes(3);
  return `127.${(a! % 254) + 1}.${b}.${(c! % 253) + 1}`;
}
