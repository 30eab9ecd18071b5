import type { BatchLimits, Subscription } from '@tidings/core';
import { z } from 'zod';
import type { FoundHandler } from './handler.explorer';

/** The options `batch` and `coalesce`. */
export const gatherSchema = (most: number) =>
  z.strictObject({ size: z.number().int().min(1).max(most), waitMs: z.number().int().min(0).max(60_000).optional() });

/** `concurrency` counts places, each with a transaction; a transport counts deliveries, and must take enough of them to fill a batch in each place. */
export function gatheredOf<Shared extends Pick<Subscription, 'concurrency'>>(
  found: readonly FoundHandler[],
  shared: Shared,
): Shared & Pick<Subscription, 'batching'> {
  const byType = new Map<string, BatchLimits>();
  for (const { contract, options } of found) {
    const gather = options.batch ?? options.coalesce;
    if (gather) byType.set(contract.type, { size: gather.size, waitMs: gather.waitMs ?? 0 });
  }
  if (byType.size === 0) return shared;
  const said = found.some(({ options }) => options.concurrency !== undefined);
  const places = said || byType.size < found.length ? shared.concurrency : 1;
  const largest = Math.max(...[...byType.values()].map(({ size }) => size));
  return { ...shared, concurrency: places * largest, batching: { places, byType } };
}
