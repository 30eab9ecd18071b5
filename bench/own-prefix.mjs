// What a row uses in RabbitMQ: names that begin with a prefix of its own, deleted at the end.
import { randomUUID } from 'node:crypto';
import { rabbitmq } from '@tidings/rabbitmq';
import amqp from 'amqplib';

export async function openPrefix(url, { topic, group }, given) {
  const prefix = given ?? `bench-${randomUUID().slice(0, 8)}`;
  const connection = await amqp.connect(url, { noDelay: true }); // as our transport has it: else a single publish takes 40 ms
  const channel = await connection.createConfirmChannel();
  const queue = `${prefix}.${topic}/${group}`;
  return {
    prefix,
    channel,
    connection,
    queue,
    transport: (options = {}) => rabbitmq({ urls: url, prefix, ...options }),
    /** The group exists, nobody consumes: what is published stays in its queue. */
    async declare() {
      const transport = rabbitmq({ urls: url, prefix });
      const shape = { ordered: false, broadcast: false, concurrency: 1, from: 'now' };
      await transport.subscribe({ topic, group, ...shape }, async () => ({ kind: 'release' }));
      await transport.close();
    },
    async close() {
      if (given === undefined) {
        for (const name of [queue, `${queue}/dead`, `${queue}/shape`]) await channel.deleteQueue(name);
        for (const name of [`${prefix}.${topic}`, queue]) await channel.deleteExchange(name);
      }
      await connection.close();
    },
  };
}

/** `send(i)` for each of n, 500 in flight, all confirmed: limits.mjs B. */
export async function confirmInBatches(channel, n, send) {
  for (let i = 0; i < n; i += 500) {
    for (let j = i; j < Math.min(n, i + 500); j++) send(j);
    await channel.waitForConfirms();
  }
}
