import type { HandlerDefinition, OnFailure } from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import type { PlannedHandler } from './handler-plan';
import type { PlannedSubscription } from './subscription-plan';

/**
 * What an ordered handler does with a failed key. With a store it parks unless told otherwise; without one nothing sensible can be assumed: to block and
 * to skip lose different things.
 *
 * @throws MessagingConfigurationError for a choice that is missing, or cannot be kept.
 */
export function onFailureOf(
  name: string,
  chosen: OnFailure | undefined,
  { subscription, level, store }: Pick<HandlerDefinition, 'subscription' | 'level' | 'store'>,
): OnFailure | undefined {
  const fail = (expected: string): never => {
    throw new MessagingConfigurationError(name, expected);
  };
  if (!subscription.ordered || subscription.broadcast || level === 'atMostOnce') {
    if (chosen === undefined) return undefined;
    const found = level === 'atMostOnce' ? 'level atMostOnce, which accepts a message before it can fail' : 'none';
    return fail(`expected an ordered subscription for onFailure: '${chosen}', found ${found}; leave onFailure out`);
  }
  if (store !== '') return chosen ?? 'park';
  if (chosen === 'block' || chosen === 'skip') return chosen;
  return fail(
    `expected onFailure: 'block' or 'skip' for an ordered handler without a store, found ${chosen ?? 'none'}; block holds the key at the broker until ` +
      'the message succeeds, skip gives the message up and goes on; with a store in messaging.stores the key is parked',
  );
}

/** @throws MessagingConfigurationError when messages of one key would be parked in two databases, and could overtake each other there. */
export function refuseTwoParkings(handlers: readonly PlannedHandler[]): void {
  const [first, ...others] = handlers.filter(({ onFailure }) => onFailure !== undefined);
  const other = others.find(
    ({ store, shards, onFailure }) =>
      store !== first?.store || shards?.of !== first.shards?.of || onFailure !== first.onFailure,
  );
  if (!first || !other) return;
  const told = ({ name, store, shards, onFailure }: PlannedHandler): string =>
    `${onFailure} in ${shards ? 'a sharded store' : `store "${store}"`} at ${name}`;
  throw new MessagingConfigurationError(
    `group ${first.subscription.group} on ${first.subscription.topic}`,
    `expected one store and one onFailure for an ordered subscription, found ${told(first)} and ${told(other)}; its keys are parked in one place`,
  );
}

/**
 * Keys are parked by group and topic, so that a group may move between transports. Two transports at once would share the place: their keys would be
 * released by one of them, and messages of one key that came by both have no order.
 *
 * @throws MessagingConfigurationError when one group parks keys of a topic on two transports.
 */
export function refuseTwoTransports(planned: readonly PlannedSubscription[]): void {
  const parking = planned.filter(({ handlers }) => handlers.some(({ onFailure }) => onFailure === 'park'));
  for (const { subscription, transport } of parking) {
    const { group, topic } = subscription;
    const other = parking.find((one) => one.subscription.group === group && one.subscription.topic === topic)!;
    if (other.transport === transport) continue;
    throw new MessagingConfigurationError(
      `group ${group} on ${topic}`,
      `expected one transport for an ordered subscription that parks its keys, found "${other.transport}" and "${transport}"; give each a group of its ` +
        "own, or choose onFailure: 'block' or 'skip' for one of them",
    );
  }
}
