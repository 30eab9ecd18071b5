import { asError, LANES, type Subscription } from '@tidings/core';
import type { Channel } from 'amqplib';
import { GroupShapeError } from './rabbitmq.errors';
import { bindingArguments, queueArguments } from './queue-arguments';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqNames } from './rabbitmq-names';
import type { MatchSettings, RabbitMqExchange } from './topology.options';

/** AMQP's reply codes. */
export const REPLY = { accessRefused: 403, notFound: 404, locked: 405, preconditionFailed: 406 } as const;
export const codeOf = (error: Error): number | undefined => (error as { code?: number }).code;

/** How long the queue of a broadcast subscription outlives its connection. */
const INSTANCE_EXPIRES_MS = 60_000;

const LANE_KEYS: readonly string[] = Array.from({ length: LANES }, (_, lane) => String(lane));

type Topology = Pick<RabbitMqSettings, 'topics' | 'groups' | 'orderedQueues'>;

export async function declareTopic(
  channel: Channel,
  names: RabbitMqNames,
  topic: string,
  topics: RabbitMqSettings['topics'],
): Promise<void> {
  const { type = 'topic', alternate } = topics[topic] ?? {};
  const alternateExchange = alternate === undefined ? {} : { alternateExchange: alternate };
  await channel.assertExchange(names.topic(topic), type, { durable: true, ...alternateExchange });
}

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
  topology: Topology,
): Promise<string[]> {
  const { topic, group, ordered } = subscription;
  const { orderedQueues, topics, groups } = topology;
  await declareShape(channel, names, subscription, ordered ? orderedQueues : 0);
  const exchange = names.group(topic, group);
  const source = names.topic(topic);
  await declareTopic(channel, names, topic, topics);
  await channel.assertExchange(exchange, 'topic', { durable: true });
  await channel.assertQueue(names.dead(topic, group), { durable: true });
  const given = groups[group]?.queue;
  const declaration = queueArguments(given ?? {}, {
    ...(ordered && { 'x-single-active-consumer': true }),
    ...(given && { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': names.dead(topic, group) }),
  });
  const queues = ordered
    ? Array.from({ length: orderedQueues }, (_, index) => names.lanes(topic, group, index, orderedQueues))
    : [exchange];
  for (const queue of queues) await channel.assertQueue(queue, declaration);
  const lanes = LANE_KEYS.map((lane, index): [string, string] => [queues[index % queues.length]!, lane]);
  const inner = ordered ? lanes : [[exchange, '#'] as const];
  await Promise.all(inner.map(([queue, routingKey]) => channel.bindQueue(queue, exchange, routingKey)));
  const type = topics[topic]?.type ?? 'topic';
  const bindings = groups[group]?.bindings;
  if (ordered && (bindings || type === 'fanout' || type === 'headers')) {
    // These exchanges cannot tell lanes apart, or let only some messages through: the group's own does the rest.
    for (const match of bindings ?? [{}]) await channel.bindExchange(exchange, source, '', bindingArguments(match));
    return queues;
  }
  if (ordered) await Promise.all(lanes.map(([queue, lane]) => channel.bindQueue(queue, source, lane)));
  else await bindAll(channel, exchange, source, type, bindings);
  // Last: nothing is missed meanwhile, and by two ways a message comes to a queue once only ("Exchange to Exchange Bindings").
  await channel.unbindExchange(exchange, source, '#');
  return queues;
}

/** One queue, all or some of a topic's messages. */
async function bindAll(
  channel: Channel,
  queue: string,
  source: string,
  type: RabbitMqExchange['type'],
  bindings: readonly MatchSettings[] | undefined,
): Promise<void> {
  const all = type === 'direct' ? LANE_KEYS : [type === 'topic' ? '#' : ''];
  const wanted = bindings ?? all.map((routingKey) => ({ routingKey }));
  for (const match of wanted)
    await channel.bindQueue(queue, source, match.routingKey ?? (type === 'topic' ? '#' : ''), bindingArguments(match));
  if (type === 'topic' && bindings?.every(({ routingKey }) => routingKey !== undefined && routingKey !== '#'))
    await channel.unbindQueue(queue, source, '#'); // from before it had bindings of its own
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
  { topics, groups }: Topology,
): Promise<string[]> {
  const { topic, group } = subscription;
  const queue = names.instance(topic, group, instance);
  await declareTopic(channel, names, topic, topics);
  await channel.assertQueue(names.dead(topic, group), { durable: true });
  await channel.assertQueue(queue, { durable: true, expires: INSTANCE_EXPIRES_MS });
  await bindAll(channel, queue, names.topic(topic), topics[topic]?.type ?? 'topic', groups[group]?.bindings);
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
