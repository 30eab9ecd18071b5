import { type Clock, parseOptions, type Store, systemClock, silentLogger, type TidingsLogger } from '@tidings/core';
import {
  logReaderOptions,
  type LogReaderOptions,
  type ResolvedLogReaderOptions,
  type ResolvedRotationOptions,
  rotationOptions,
  type RotationOptions,
} from '@tidings/postgres-log';
import { z } from 'zod';

export interface PostgresTransportOptions extends LogReaderOptions {
  /** Where the log is. When it is the very store that an outbox writes to, subscriptions read the outbox's log and nothing is copied. */
  readonly store: Store;
  /** Topics of two namespaces in one log do not meet. Default `log`. */
  readonly namespace?: string | undefined;
  /** A larger payload is refused as `too-large`. Default 16 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** When the log's segments are emptied. */
  readonly rotation?: RotationOptions | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: TidingsLogger | undefined;
}

export type ResolvedPostgresOptions = ResolvedLogReaderOptions & {
  readonly store: Store;
  readonly namespace: string;
  readonly maxMessageBytes: number;
  readonly rotation: ResolvedRotationOptions;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
};

const schema = logReaderOptions.extend({
  namespace: z.string().min(1).default('log'),
  maxMessageBytes: z
    .number()
    .int()
    .positive()
    .max(2 ** 28, 'expected at most 268435456 (256 MiB): PostgreSQL sends a bytea twice as long as text')
    .default(16 * 2 ** 20),
  rotation: rotationOptions.prefault({}),
});

/** @throws OptionsError that names the bad option. */
export function resolveOptions({
  store,
  clock = systemClock,
  logger = silentLogger,
  ...rest
}: PostgresTransportOptions): ResolvedPostgresOptions {
  return { ...parseOptions('postgres', schema, rest), store, clock, logger };
}
