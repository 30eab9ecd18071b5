import { asError, LANES, type Subscription } from '@tidings/core';
import type { Channel } from 'amqplib';
import { GroupShapeError } from './rabbitmq.errors';
import type { RabbitMqNames } from './rabbitmq-names';

/** AMQP's reply codes. */
export const REPLY = { accessRefused: 403, notFound: 404, locked: 405, preconditionFailed: 406 } as const;
export const codeOf = (error: Error): number | undefined => (error as { code?: number }).code;

/** How long the queue of a broadcast subscription outlives its connection. */
const INSTANCE_EXPIRES_MS = 60_000;

export const declareTopic = async (channel: Channel, exchange: string): Promise<void> => {
  await channel.assertExchange(exchange, 'topic', { durable: true });
};

/**
 * Declares a group: its queues, bound to the topic's exchange and to one of the group's own. Messages carry their lane as routing key, so an
 * unordered group's one queue takes `#` and queue i of N takes the lanes that leave i. The group's exchange is what a retry or a redrive is sent to:
 * its sender need not know N. Single active consumer keeps a lane with one process ("Consumers").
 *
 * N−1 bound the group's exchange to the topic's, which costs the broker a second look-up for each message. That binding goes once the new ones
 * stand; a process of N−1 may put it back, which is as right and slower.
 *
 * @returns the queues to consume from.
 * @throws GroupShapeError when the group stands with another N, or was (un)ordered before: old queues would stay bound and keep messages.
 */
export async function declareGroup(
  channel: Channel,
  names: RabbitMqNames,
  subscription: Subscription,
  orderedQueues: number,
): Promise<string[]> {
  const { topic, group, ordered } = subscription;
  await declareShape(channel, names, subscription, ordered ? orderedQueues : 0);
  const exchange = names.group(topic, group);
  await declareTopic(channel, names.topic(topic));
  await declareTopic(channel, exchange);
  await channel.assertQueue(names.dead(topic, group), { durable: true });
  const queues = ordered
    ? Array.from({ length: orderedQueues }, (_, index) => names.lanes(topic, group, index, orderedQueues))
    : [exchange];
  for (const queue of queues) {
    await channel.assertQueue(queue, {
      durable: true,
      ...(ordered && { arguments: { 'x-single-active-consumer': true } }),
    });
  }
  const bindings: [queue: string, routingKey: string][] = ordered
    ? Array.from({ length: LANES }, (_, lane) => [queues[lane % orderedQueues]!, String(lane)])
    : [[exchange, '#']];
  for (const source of [exchange, names.topic(topic)])
    await Promise.all(bindings.map(([queue, routingKey]) => channel.bindQueue(queue, source, routingKey)));
  // Last: nothing is missed meanwhile, and by two ways a message comes to a queue once only ("Exchange to Exchange Bindings").
  await channel.unbindExchange(exchange, names.topic(topic), '#');
  return queues;
}

/**
 * The queue of one process of a broadcast subscription. Not exclusive: an exclusive queue ends with its connection, and what was published
 * during a short cut would be lost. This one waits a minute for its process to come back, then ends itself.
 */
export async function declareInstance(
  channel: Channel,
  names: RabbitMqNames,
  subscription: Subscription,
  instance: string,
): Promise<string[]> {
  const { topic, group } = subscription;
  const queue = names.instance(topic, group, instance);
  await declareTopic(channel, names.topic(topic));
  await channel.assertQueue(names.dead(topic, group), { durable: true });
  await channel.assertQueue(queue, { durable: true, expires: INSTANCE_EXPIRES_MS });
  await channel.bindQueue(queue, names.topic(topic), '#');
  return [queue];
}

/**
 * AMQP can neither list bindings nor keep a note, but it refuses to declare a queue anew with other arguments: so an empty queue whose
 * `x-max-length` is N remembers the shape for all processes.
 */
async function declareShape(
  channel: Channel,
  names: RabbitMqNames,
  { topic, group }: Subscription,
  shape: number,
): Promise<void> {
  try {
    await channel.assertQueue(names.shape(topic, group), { durable: true, maxLength: shape });
  } catch (thrown) {
    const error = asError(thrown);
    if (codeOf(error) !== REPLY.preconditionFailed) throw error;
    const [, found] = /current is (?:the value )?'(\d+)'/.exec(error.message) ?? [];
    throw new GroupShapeError(
      topic,
      group,
      shape,
      found === undefined ? error.message : found === '0' ? 'unordered' : `${found} queues`,
    );
  }
}
