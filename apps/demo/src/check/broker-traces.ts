import { connect } from 'amqplib';
import { BadgeUpgraded, GiftRequested, GiftSent, RankingChanged } from '@tidings/gift-contracts';
import { GROUPS } from './evidence';

const TOPICS = [GiftSent, GiftRequested, RankingChanged, BadgeUpgraded].map((contract) => contract.topic);
const CONSUMERS = [...GROUPS, 'gift-intake', 'room-gateway'];
/** `orderedQueues` of the RabbitMQ transport, as it is by default. */
const ORDERED_QUEUES = 8;

/**
 * Deletes the exchanges and queues of a check, by the names that docs of the RabbitMQ transport give them. What does not exist is no error. The
 * queues of broadcast subscriptions and of delays end by themselves.
 */
export async function deleteBrokerTraces(url: string, prefix: string): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    for (const topic of TOPICS) {
      for (const group of CONSUMERS) {
        const name = `${prefix}.${topic}/${group}`;
        const ordered = Array.from({ length: ORDERED_QUEUES }, (_, index) => `${name}/${index}of${ORDERED_QUEUES}`);
        for (const queue of [name, `${name}/dead`, `${name}/shape`, ...ordered]) await channel.deleteQueue(queue);
        await channel.deleteExchange(name);
      }
      await channel.deleteExchange(`${prefix}.${topic}`);
    }
  } finally {
    await connection.close();
  }
}
