import { Duplex } from 'node:stream';
import type { Producer } from 'rocketmq-client-nodejs';

type TelemetryStream = ReturnType<Producer['createTelemetryStream']>;

/**
 * The client takes all listeners off a telemetry stream that it releases; one that fails afterwards, as each does when its connection breaks, would end the
 * process with an unhandled `error`.
 */
export function guardedStream(stream: TelemetryStream): TelemetryStream {
  const removeAll = stream.removeAllListeners.bind(stream);
  stream.removeAllListeners = (...names) => {
    removeAll(...names);
    return stream.on('error', () => undefined);
  };
  return stream;
}

/**
 * The client opens a telemetry stream a second after the last one broke, also when it was shut down meanwhile: this one leads nowhere. It must not echo
 * either: the client would take its own settings for the broker's and throw in a timer, which ends the process.
 */
export const inertStream = (): TelemetryStream => {
  const nowhere = new Duplex({ objectMode: true, read: () => undefined, write: (_command, _encoding, done) => done() });
  return guardedStream(nowhere as unknown as TelemetryStream);
};
