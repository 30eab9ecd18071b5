import type { Channel } from 'amqplib';
import { bindingArguments, queueArguments } from './queue-arguments';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqNames } from './rabbitmq-names';
import { declareTopic } from './rabbitmq-topology';

/** Declares the user's own exchanges, queues and bindings. Idempotent; topics with options come first, for bindings may name their exchanges. */
export async function declareTopology(
  channel: Channel,
  names: RabbitMqNames,
  settings: Pick<RabbitMqSettings, 'topology' | 'topics'>,
): Promise<void> {
  const { topology, topics } = settings;
  if (!topology) return;
  const { exchanges, queues, bindings } = topology;
  for (const [name, { type, alternate, durable = true, autoDelete = false, internal = false }] of Object.entries(
    exchanges,
  )) {
    const alternateExchange = alternate === undefined ? {} : { alternateExchange: alternate };
    await channel.assertExchange(name, type, { durable, autoDelete, internal, ...alternateExchange });
  }
  for (const topic of Object.keys(topics)) await declareTopic(channel, names, topic, topics);
  for (const [name, queue] of Object.entries(queues)) await channel.assertQueue(name, queueArguments(queue));
  for (const { source, toQueue, toExchange, routingKey = '', ...match } of bindings) {
    if (toQueue !== undefined) await channel.bindQueue(toQueue, source, routingKey, bindingArguments(match));
    if (toExchange !== undefined) await channel.bindExchange(toExchange, source, routingKey, bindingArguments(match));
  }
}
