import { connect } from 'amqplib';
import { GROUPS, Moved } from './scene';

/** `orderedQueues` of the RabbitMQ transport, as it is by default. */
const ORDERED_QUEUES = 8;

/**
 * Deletes the exchanges and queues of a run, by the names that docs of the RabbitMQ transport give them, and of retries the delays of `RETRY_MS`.
 * What does not exist is no error.
 */
export async function deleteBrokerTraces(url: string, prefix: string, delaysMs: readonly number[]): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const topic = `${prefix}.${Moved.topic}`;
    for (const { name } of GROUPS) {
      const group = `${topic}/${name}`;
      const ordered = Array.from({ length: ORDERED_QUEUES }, (_, index) => `${group}/${index}of${ORDERED_QUEUES}`);
      const delays = delaysMs.map((delayMs) => `${group}/delay/${delayMs}`);
      for (const queue of [group, `${group}/dead`, `${group}/shape`, ...ordered, ...delays])
        await channel.deleteQueue(queue);
      for (const exchange of [group, ...delays]) await channel.deleteExchange(exchange);
    }
    await channel.deleteExchange(topic);
  } finally {
    await connection.close();
  }
}
