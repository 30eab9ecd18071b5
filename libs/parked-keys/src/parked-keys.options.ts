import { parseOptions } from '@tidings/core';
import { z } from 'zod';

export interface ParkedKeysOptions {
  /** Messages that wait behind one head, at most; past it the key blocks its consumer, or its relay's lane. Default 10,000. */
  readonly maxFollowers?: number;
  /** Parked keys of one subscription or destination, at most; past it a key blocks in place. Default 1,000. */
  readonly maxKeys?: number;
  /** A key parked for longer is told once as a warning, and counted in the health. Default 900,000 (a quarter of an hour). */
  readonly alarmAfterMs?: number;
  /** Keys whose messages one process releases at once; each may hold a connection of the user's pool. Default 5. */
  readonly concurrency?: number;
  /** How long a dead process keeps the keys that it was releasing. Default 30,000. */
  readonly leaseMs?: number;
  /** How often an idle process looks for due keys that nobody told it of: a fallback. Default 300,000 (five minutes). */
  readonly pollMs?: number;
  /** After a failure to reach the store, a limit, or a newer version, a message is tried again after this time, uncounted. Default 1,000. */
  readonly againAfterMs?: number;
}

export type CheckedParkedKeysOptions = Required<ParkedKeysOptions>;

const schema = z.strictObject({
  maxFollowers: z.int().min(1).max(10_000_000).default(10_000),
  maxKeys: z.int().min(1).max(1_000_000).default(1_000),
  alarmAfterMs: z.int().min(1).default(900_000),
  concurrency: z.int().min(1).max(1_000).default(5),
  leaseMs: z.int().min(100).max(3_600_000).default(30_000),
  pollMs: z.int().min(10).max(3_600_000).default(300_000),
  againAfterMs: z.int().min(0).max(3_600_000).default(1_000),
});

/** @throws OptionsError that names the bad option below `parking`. */
export const checkParkedKeysOptions = (options: ParkedKeysOptions = {}): CheckedParkedKeysOptions =>
  parseOptions('parking', schema, options);
