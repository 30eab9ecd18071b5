import { z } from 'zod';
import { gatherSchema } from './gathering-plan';

const hasSettle = (value: unknown): boolean => typeof (value as { settle?: unknown } | null)?.settle === 'function';

const isStoreChoice = (value: unknown): boolean => typeof value === 'string' || typeof value === 'function';

/** The options of `@OnMessage`, and of what is made of it. */
export const onMessageSchema = z.strictObject({
  group: z.string({ error: 'expected the name of a group' }).min(1, { error: 'expected the name of a group' }),
  ordered: z.boolean().optional(),
  concurrency: z.number().int().min(1).max(10_000).optional(),
  keyConcurrency: z.number().int().min(1).max(10_000).optional(),
  level: z.enum(['atMostOnce', 'atLeastOnce', 'effectivelyOnce']).optional(),
  retry: z
    .custom(hasSettle, { error: 'expected a retry policy: exponential(), linear(), fixed() or never()' })
    .optional(),
  retryBudget: z
    .strictObject({
      perSecond: z.number().gt(0).max(1_000_000),
      burst: z.number().min(1).max(1_000_000).optional(),
      maxWaitMs: z.number().int().min(1).optional(),
      name: z.string().min(1).max(1_000).optional(),
    })
    .optional(),
  timeoutMs: z.number().int().min(1).optional(),
  onFailure: z.enum(['park', 'block', 'skip']).optional(),
  dryRun: z.boolean().optional(),
  circuit: z
    .strictObject({
      failures: z.number().int().min(1).optional(),
      ratio: z.number().gt(0).lt(1).optional(),
      of: z.number().int().min(2).optional(),
      openMs: z.number().int().min(1).optional(),
    })
    .optional(),
  priority: z
    .custom((value) => typeof value === 'function', { error: 'expected a function from a payload to a number' })
    .optional(),
  rateLimit: z
    .strictObject({
      perSecond: z.number().positive(),
      burst: z.number().min(1).optional(),
      scope: z.enum(['process', 'cluster']).optional(),
    })
    .optional(),
  broadcast: z.boolean().optional(),
  from: z.enum(['now', 'earliest']).optional(),
  transport: z.string().optional(),
  store: z
    .custom(isStoreChoice, { error: 'expected the name of a store, or a function from a message to one' })
    .optional(),
  batch: gatherSchema(10_000).optional(),
  coalesce: gatherSchema(64).optional(),
});
