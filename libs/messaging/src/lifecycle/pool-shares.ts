import type { PooledStore, Store, TidingsLogger } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';

/**
 * Divides the pool of a store among the subscriptions whose handlers hold its connections, when it is too small for all of their places: each gets a share
 * in proportion, one at least, and runs no more than that. So a group that hangs on all its places takes none of another's connections, whatever the
 * numbers are. A batch shares one connection, so it counts for the places it takes. Warns of what was taken away, and tells the numbers that mend it.
 */
export function divided(
  planned: readonly PlannedSubscription[],
  name: string,
  { poolSize }: Store & Partial<PooledStore>,
  logger: TidingsLogger,
): readonly PlannedSubscription[] {
  if (poolSize === undefined) return planned;
  const users = planned.filter((one) => uses(one, name));
  const needed = users.reduce((sum, one) => sum + placesOf(one), 0);
  if (needed <= poolSize) return planned;
  const shares = new Map(users.map((one) => [one, Math.max(1, Math.floor((poolSize * placesOf(one)) / needed))]));
  const given = [...shares].map(([one, share]) => `${one.subscription.group}@${one.subscription.topic} ${Math.min(share, placesOf(one))} of ${placesOf(one)}`); // prettier-ignore
  logger.warn(
    { store: name, poolSize, needed },
    `the handlers of ${users.length} subscriptions may hold ${needed} connections, the pool has ${poolSize}: each runs its share (${given.join(', ')}); ` +
      (users.length > poolSize
        ? 'one each is more than there are, so that one group that hangs can keep the others waiting; '
        : '') +
      'raise the pool (max, poolSize), or lower concurrency',
  );
  return planned.map((one) => withShare(one, shares.get(one)));
}

const placesOf = ({ subscription }: PlannedSubscription): number =>
  subscription.batching?.places ?? subscription.concurrency;

const uses = ({ handlers }: PlannedSubscription, store: string): boolean =>
  handlers.some(
    (handler) => handler.level !== 'atMostOnce' && (handler.store === store || handler.shards?.among.includes(store)),
  );

/** `share` counts places, `concurrency` deliveries: a batch has many of them in one place. */
function withShare(planned: PlannedSubscription, share: number | undefined): PlannedSubscription {
  const places = placesOf(planned);
  if (share === undefined) return planned;
  const { subscription } = planned;
  const most = Math.min(planned.share ?? Infinity, share * (subscription.concurrency / places));
  if (share >= places) return { ...planned, share: most };
  const batching = subscription.batching && { ...subscription.batching, places: share };
  const shared = { ...subscription, concurrency: most, ...(batching && { batching }) };
  // A handler's subscription is the one that runs: its circuit is found by it.
  const handlers = planned.handlers.map((handler) => ({ ...handler, subscription: shared }));
  return { ...planned, share: most, subscription: shared, handlers };
}
