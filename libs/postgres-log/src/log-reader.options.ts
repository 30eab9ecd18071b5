import { z } from 'zod';

const millis = z.number().int().positive();

/** How a process reads the log. The defaults are for production; specs shorten the lease. */
export const logReaderOptions = z.object({
  /** Messages of one lane in one batch. Default 100. */
  batch: z.number().int().positive().default(100),
  /**
   * A batch ends earlier when its payloads reach this many bytes; a larger message goes alone. Default 1 MiB. A reader that holds all 64 lanes of a
   * backlog has at most two batches of each in memory.
   */
  batchBytes: z
    .number()
    .int()
    .positive()
    .default(2 ** 20),
  /** A dead process's lanes are taken over after this time. Default 15,000. */
  leaseMs: millis.min(300).default(15_000),
  /** Looks everywhere this often even when nobody gave a signal. Default 6,000. */
  pollMs: millis.default(6_000),
  /** After a lane failed (the broker is away, say) it waits this long, doubling up to `maxBackoffMs`. Default 100. */
  backoffMs: millis.default(100),
  /** Default 5,000. */
  maxBackoffMs: millis.default(5_000),
});

export type LogReaderOptions = z.input<typeof logReaderOptions>;
export type ResolvedLogReaderOptions = z.output<typeof logReaderOptions>;
