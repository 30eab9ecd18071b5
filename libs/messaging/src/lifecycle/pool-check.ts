import type { PooledStore, Store, TidingsLogger } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';

/**
 * Warns when the handlers of a store's subscriptions could hold more connections than its pool has: then one group that hangs on all its places keeps
 * the others waiting for a connection, which no place of their own mends. A batch shares one connection, so it counts for the places it takes.
 */
export function checkPool(
  name: string,
  store: Store & Partial<PooledStore>,
  planned: readonly PlannedSubscription[],
  logger: TidingsLogger,
): void {
  const { poolSize } = store;
  if (poolSize === undefined) return;
  const users = planned.filter(({ handlers }) =>
    handlers.some((handler) => handler.level !== 'atMostOnce' && handler.store === name),
  );
  const needed = users.reduce(
    (sum, { subscription }) => sum + (subscription.batching?.places ?? subscription.concurrency),
    0,
  );
  if (needed <= poolSize) return;
  logger.warn(
    { store: name, poolSize, needed },
    `the handlers of ${users.length} subscriptions may hold ${needed} connections, the pool has ${poolSize}: one group that hangs can keep the others waiting; ` +
      'raise the pool (max, poolSize), or lower concurrency',
  );
}
