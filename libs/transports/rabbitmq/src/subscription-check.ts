import { OptionsError, type Subscription } from '@tidings/core';
import { DeliveryLimitError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';

/**
 * What the options rule out for this subscription, told before anything is declared.
 *
 * @throws OptionsError that names the option, DeliveryLimitError
 */
export function checkSubscription(
  { topic, group, ordered, attempts = 1, batching }: Subscription,
  { topics, groups, prefetch }: Pick<RabbitMqSettings, 'topics' | 'groups' | 'prefetch'>,
): void {
  const { queue, bindings } = groups[group] ?? {};
  const { type = 'topic', routingKey } = topics[topic] ?? {};
  const path = `rabbitmq.groups.${group}`;
  const size = Math.max(1, ...[...(batching?.byType.values() ?? [])].map((limits) => limits.size));
  const limits = [
    [`${path}.prefetch`, groups[group]?.prefetch],
    ['rabbitmq.prefetch', groups[group]?.prefetch === undefined ? prefetch : undefined],
    [`${path}.channelPrefetch`, groups[group]?.channelPrefetch],
  ] as const;
  for (const [option, limit] of limits)
    if (limit !== undefined && limit < size)
      throw new OptionsError(option, `must be at least ${size}, else no batch of group ${group} on ${topic} is ever full, found ${limit}; raise it (for this group: ${path}.prefetch), or lower the batch's size`); // prettier-ignore
  if (ordered) {
    if (queue?.maxPriority !== undefined)
      throw new OptionsError(
        `${path}.queue.maxPriority`,
        `must not be given for the ordered group on ${topic}: a priority overtakes within a key`,
      );
    if (routingKey)
      throw new OptionsError(`rabbitmq.topics.${topic}.routingKey`, `must not be given: group ${group} is ordered, and its queues are told apart by the lane that is the routing key without it`); // prettier-ignore
    bindings?.forEach((binding, index) => {
      if (binding.routingKey !== undefined || type !== 'headers')
        throw new OptionsError(`${path}.bindings.${index}`, `must be of headers alone, on a topic of type headers: group ${group} on ${topic} is ordered, and its routing keys are lanes`); // prettier-ignore
    });
  }
  if (type === 'direct' && routingKey && !bindings)
    throw new OptionsError(
      `${path}.bindings`,
      `must name the routing keys that it takes from ${topic}, a direct exchange with keys of its own`,
    );
  if (queue?.deliveryLimit !== undefined && queue.deliveryLimit < attempts)
    throw new DeliveryLimitError(topic, group, queue.deliveryLimit, attempts);
}
