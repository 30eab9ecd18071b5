import { type Clock, MemoryStore, type Pace, type Store, type TidingsLogger, TokenBucket } from '@tidings/core';
import { SharedPace } from '@tidings/outbox';
import type { PlannedSubscription } from '../handling/subscription-plan';

export interface PaceParts {
  readonly storeOf: (name: string) => Store | undefined;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/** How fast a subscription's deliveries may begin: a bucket of this process, or one that all processes share in the handler's store. */
export function paceOf(planned: PlannedSubscription, { storeOf, clock, logger }: PaceParts): Pace | undefined {
  const { rateLimit, subscription, transport, handlers } = planned;
  if (!rateLimit) return undefined;
  const store = rateLimit.scope === 'cluster' ? storeOf(handlers[0]!.store) : undefined;
  // A store in memory has no other processes to share with.
  if (!store || store instanceof MemoryStore) return new TokenBucket(rateLimit, clock);
  return new SharedPace(store, `${subscription.group}@${subscription.topic} on ${transport}`, rateLimit, clock, logger);
}
