import { z } from 'zod';

const MONTH_MS = 30 * 24 * 3_600_000;

/** For how long is kept what dead letters leave behind. A letter that waits for somebody is kept for ever. */
export const deadLetterRetentionOptions = z.strictObject({
  /** Letters that were redriven, handled or discarded, with their audit. Default: for ever; who changed what, and why, is for people to give up. */
  settledRetentionMs: z.number().int().positive().optional(),
  /**
   * Notes of failed attempts and of deaths whose message was neither handled nor buried: its queue was purged, or its handler is gone. A message that
   * comes back later than that begins its story anew, and its `maxElapsedMs`. Default 2,592,000,000 (30 days).
   */
  unfinishedRetentionMs: z.number().int().positive().default(MONTH_MS),
  /** Redrive jobs that ended. Default 2,592,000,000 (30 days). */
  jobRetentionMs: z.number().int().positive().default(MONTH_MS),
});

export type DeadLetterRetentionOptions = z.input<typeof deadLetterRetentionOptions>;
export type ResolvedDeadLetterRetentionOptions = z.output<typeof deadLetterRetentionOptions>;
