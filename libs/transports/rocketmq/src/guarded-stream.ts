import { PassThrough } from 'node:stream';
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

/** The client opens a telemetry stream a second after the last one broke, also when it was shut down meanwhile: this one leads nowhere. */
export const inertStream = (): TelemetryStream =>
  guardedStream(new PassThrough({ objectMode: true }).resume() as unknown as TelemetryStream);
