import { z } from 'zod';
import { letterFilterShape } from './letter-filter';

export const idSchema = z.string().regex(/^\d{1,18}$/, 'expected an id of a dead letter');

/** Before the first and behind the last of all ids. */
export const NO_ID = { oldest: '0', newest: '9223372036854775807' } as const;

export const listSchema = z.strictObject({
  limit: z.int().min(1).max(500).default(50),
  after: idSchema.optional(),
  order: z.enum(['oldest', 'newest']).default('oldest'),
  ...letterFilterShape,
});

export const groupsSchema = z.strictObject({
  by: z.enum(['failure', 'type', 'place']).default('failure'),
  limit: z.int().min(1).max(500).default(100),
  after: z.string().optional(),
  countTo: z.int().min(1).max(100_000).default(10_000),
});

/** What a Decision is checked by. */
export const decisionShape = {
  by: z.string({ error: 'expected who wants it' }).min(1, 'expected who wants it'),
  reason: z.string({ error: 'expected a reason' }).min(1, 'expected a reason'),
};

export const decisionSchema = z.strictObject(decisionShape);

export const editSchema = z
  .strictObject({
    ...decisionShape,
    payload: z.union([z.string(), z.instanceof(Uint8Array)], { error: 'expected text or bytes' }).optional(),
    headers: z.record(z.string(), z.string({ error: 'expected a text' })).optional(),
  })
  .refine(({ payload, headers }) => payload !== undefined || headers !== undefined, {
    error: 'expected a payload or headers, found neither',
  });

export const purgeSchema = z.strictObject({ olderThanMs: z.number().min(0) });
