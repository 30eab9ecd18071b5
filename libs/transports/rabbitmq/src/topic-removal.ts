import type { Channel } from 'amqplib';
import { DELAY_LEVELS, delayName } from './delay-queues';
import type { RabbitMqNames } from './rabbitmq-names';

/**
 * Deletes a topic's exchange and its groups' exchanges and queues, with the delays in front of each. By name, for AMQP lists nothing; what does not
 * exist is no error to it ("queue.delete"). Queues of broadcast processes end by themselves.
 */
export async function removeTopic(
  channel: Channel,
  names: RabbitMqNames,
  topic: string,
  groups: readonly string[],
  orderedQueues: number,
): Promise<void> {
  for (const group of groups) {
    const exchange = names.group(topic, group);
    const lanes = Array.from({ length: orderedQueues }, (_, index) => names.lanes(topic, group, index, orderedQueues));
    const queues = [exchange, names.dead(topic, group), names.shape(topic, group), ...lanes];
    await Promise.all(queues.map((queue) => channel.deleteQueue(queue)));
    await removeExchange(channel, exchange);
  }
  await removeExchange(channel, names.topic(topic));
}

async function removeExchange(channel: Channel, exchange: string): Promise<void> {
  const delays = DELAY_LEVELS.map((level) => delayName(exchange, level));
  await Promise.all(delays.map((name) => channel.deleteQueue(name)));
  await Promise.all([exchange, ...delays].map((name) => channel.deleteExchange(name)));
}
