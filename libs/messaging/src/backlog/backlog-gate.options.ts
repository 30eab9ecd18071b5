import { parseOptions } from '@tidings/core';
import { z } from 'zod';

export interface BacklogGateOptions {
  /** From this many waiting messages on, requests are refused; 1 or more. */
  readonly maxBacklog: number;
  /** They are taken again from this many down, so that the gate does not flutter. Default four fifths of `maxBacklog`. */
  readonly resumeAt?: number;
  /** What a refused client is told to wait, in seconds. Default 1. */
  readonly retryAfterS?: number;
  /** Topics whose backlogs count, added up. Default: all of the store's log. */
  readonly topics?: readonly string[];
  /** The store whose log is measured. Default: the store `default`, or the only one. */
  readonly store?: string;
  /** A measurement counts this long, in milliseconds, for all requests of the process; the next is made behind their backs. Default 250. */
  readonly refreshMs?: number;
}

export type CheckedBacklogGateOptions = Readonly<
  Required<Omit<BacklogGateOptions, 'store' | 'topics'>> & Pick<BacklogGateOptions, 'store' | 'topics'>
>;

const schema = z.strictObject({
  maxBacklog: z.number().int().min(1).max(1_000_000),
  resumeAt: z.number().int().min(0).optional(),
  retryAfterS: z.number().int().min(1).default(1),
  topics: z.array(z.string().min(1)).min(1).optional(),
  store: z.string().optional(),
  refreshMs: z.number().int().min(1).default(250),
});

const checked = schema
  .refine(({ maxBacklog, resumeAt }) => resumeAt === undefined || resumeAt < maxBacklog, {
    path: ['resumeAt'],
    error: 'must be below maxBacklog',
  })
  .transform(({ resumeAt, ...rest }) => ({ ...rest, resumeAt: resumeAt ?? Math.floor(rest.maxBacklog * 0.8) }));

/** @throws OptionsError that names the bad option below `subject`. */
export const checkBacklogGateOptions = (subject: string, options: BacklogGateOptions): CheckedBacklogGateOptions =>
  parseOptions(subject, checked, options) as CheckedBacklogGateOptions;
