import { z } from 'zod';

/** When undecided prepared messages are asked for. */
export const checkBackOptions = z.strictObject({
  /** The first question comes this long after `prepare`, by the database's clock. Default 60,000: longer than the operation may take. */
  afterMs: z.number().int().positive().default(60_000),
  /** Each further question waits twice as long as the one before, at most this. Default 3,600,000. */
  maxDelayMs: z.number().int().positive().default(3_600_000),
  /** After so many answers `unknown` the message is dead-lettered as undecided. Default 15. */
  checks: z.number().int().positive().default(15),
  /** How often a process looks for messages to ask for. Default 15,000. */
  everyMs: z.number().int().positive().default(15_000),
  /** How long a decision is remembered, to answer a second one. Default 604,800,000 (a week). */
  retentionMs: z
    .number()
    .int()
    .positive()
    .default(7 * 24 * 3_600_000),
});

export type CheckBackOptions = z.input<typeof checkBackOptions>;
export type ResolvedCheckBackOptions = z.output<typeof checkBackOptions>;
