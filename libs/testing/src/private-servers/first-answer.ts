import { connect } from 'node:net';

/** What a server says first after these bytes; undefined when nobody listens, or nothing comes within a second. */
export const firstAnswer = (port: number, opening: Uint8Array): Promise<Buffer | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer?: Buffer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, end);
    socket.once('connect', () => socket.write(opening));
    socket.once('data', end);
    socket.once('error', () => end());
    socket.once('close', () => end());
  });
