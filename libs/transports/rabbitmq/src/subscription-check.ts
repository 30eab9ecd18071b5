import { OptionsError, type Subscription } from '@tidings/core';
import { DeliveryLimitError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';

/**
 * What the options rule out for this subscription, told before anything is declared.
 *
 * @throws OptionsError that names the option, DeliveryLimitError
 */
export function checkSubscription(
  { topic, group, ordered, attempts = 1 }: Subscription,
  { topics, groups }: Pick<RabbitMqSettings, 'topics' | 'groups'>,
): void {
  const { queue, bindings } = groups[group] ?? {};
  const { type = 'topic', routingKey } = topics[topic] ?? {};
  const path = `rabbitmq.groups.${group}`;
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
