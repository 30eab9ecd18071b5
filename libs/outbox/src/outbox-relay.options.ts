import { logReaderOptions, rotationOptions } from '@tidings/postgres-log';
import { z } from 'zod';

/** How a relay works; on top of `LogReaderOptions`. */
export const outboxRelayOptions = logReaderOptions.extend({
  /** Messages of one lane published at once. Default 500: beyond, confirmed publishing gains little and a crash repeats more. */
  batch: z.number().int().positive().default(500),
  /** A message that reaches no queue is tried for this long (a consumer may be deploying), then dead-lettered. Default 60,000. */
  routeGraceMs: z.number().int().nonnegative().default(60_000),
  /** When the log's segments are emptied. */
  rotation: rotationOptions.prefault({}),
});

export type OutboxRelayOptions = z.input<typeof outboxRelayOptions>;
export type ResolvedOutboxRelayOptions = z.output<typeof outboxRelayOptions>;
