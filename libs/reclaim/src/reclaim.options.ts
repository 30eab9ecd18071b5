import { z } from 'zod';

/** How often what dead workers hold is taken back. */
export const reclaimOptions = z.strictObject({
  /** From the start of one run of the cluster to the start of the next. Default 300,000 (five minutes). */
  everyMs: z.number().int().min(1_000).default(300_000),
  /** A run that hangs keeps other processes away for this long. Default 600,000. */
  leaseMs: z.number().int().min(1_000).default(600_000),
});

export type ReclaimOptions = z.input<typeof reclaimOptions>;
export type ResolvedReclaimOptions = z.output<typeof reclaimOptions>;
