// Each broker's client with nothing around it, on a queue of its own: what a loop by hand is made of. All have one face:
// `publish(id, body)` resolves when the broker has confirmed; `flood(count, body)` publishes so many, 500 in flight; `consume(take)` calls
// `take(id, body, ack)` and resolves with what stops it; `clear()` empties the queue; `close()` removes it.
import { randomUUID } from 'node:crypto';
import amqp from 'amqplib';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';

/** Taken ahead, at the least; the same for all that have such a setting. */
const AHEAD = 500;
const IN_FLIGHT = 500;
const PARTITIONS = 8;

/** `send(i)` for each of n, 500 in flight, all confirmed. */
export async function confirmInBatches(channel, n, send) {
  for (let i = 0; i < n; i += IN_FLIGHT) {
    for (let j = i; j < Math.min(n, i + IN_FLIGHT); j++) send(j);
    await channel.waitForConfirms();
  }
}

async function rabbitmq(url, name) {
  const connection = await amqp.connect(url, { noDelay: true }); // as our transport has it: else a single publish takes 40 ms
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(name, { durable: true });
  const options = (messageId) => ({ persistent: true, mandatory: true, messageId });
  return {
    connection,
    channel,
    publish: (id, body) =>
      new Promise((resolve, reject) =>
        channel.publish('', name, body, options(id), (error) => (error ? reject(error) : resolve())),
      ),
    flood: (count, body) =>
      confirmInBatches(channel, count, () => channel.publish('', name, body, options(randomUUID()))),
    async consume(take, { ahead = AHEAD, queue = name } = {}) {
      const consuming = await connection.createChannel();
      await consuming.prefetch(ahead);
      await consuming.consume(queue, (message) =>
        take(message.properties.messageId, message.content, () => consuming.ack(message)),
      );
      return () => consuming.close();
    },
    clear: (queue = name) => channel.purgeQueue(queue),
    async close() {
      await channel.deleteQueue(name);
      await connection.close();
    },
  };
}

async function redis(url, name) {
  const client = new Redis(url);
  const add = (id, body) => client.xadd(name, '*', 'id', id, 'body', body);
  return {
    publish: add,
    async flood(count, body) {
      for (let i = 0; i < count; i += IN_FLIGHT)
        await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count - i) }, () => add(randomUUID(), body)));
    },
    async consume(take, { ahead = AHEAD } = {}) {
      const reader = new Redis(url);
      await reader.xgroup('CREATE', name, 'by-hand', '0', 'MKSTREAM');
      let stopped = false;
      const reading = (async () => {
        while (!stopped) {
          const found = await reader.xreadgroup('GROUP', 'by-hand', 'one', 'COUNT', ahead, 'BLOCK', 100, 'STREAMS', name, '>'); // prettier-ignore
          for (const [entry, fields] of found?.[0][1] ?? [])
            take(fields[1], Buffer.from(fields[3]), () => void client.xack(name, 'by-hand', entry));
        }
      })();
      return async () => {
        stopped = true;
        await reading;
        await reader.quit();
      };
    },
    clear: () => client.del(name),
    async close() {
      await client.del(name);
      await client.quit();
    },
  };
}

async function kafka(url, name) {
  const client = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING });
  const [admin, producer] = [client.admin(), client.producer({ allowAutoTopicCreation: false })];
  await Promise.all([admin.connect(), producer.connect()]);
  /** An empty queue is another topic: a kafkajs client that once asked for a topic fails for ever when that is gone. */
  const topics = [];
  let topic;
  const begin = async () => {
    topics.push((topic = `${name}.${topics.length}`));
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  };
  await begin();
  const send = (messages) => producer.send({ topic, acks: -1, messages });
  return {
    publish: (id, value) => send([{ key: id, value, headers: { id } }]),
    async flood(count, value) {
      for (let i = 0; i < count; i += IN_FLIGHT)
        await send(
          Array.from({ length: Math.min(IN_FLIGHT, count - i) }, () => {
            const id = randomUUID();
            return { key: id, value, headers: { id } };
          }),
        );
    },
    /** Commits what a fetch brought when all of it is acknowledged: Kafka keeps one place a partition. */
    async consume(take) {
      const consumer = client.consumer({ groupId: `${name}.${randomUUID()}`, maxWaitTimeInMs: 100 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: PARTITIONS,
        async eachBatch({ batch: { partition, messages } }) {
          await Promise.all(messages.map(({ headers, value }) => new Promise((ack) => take(headers.id.toString(), value, ack)))); // prettier-ignore
          await consumer.commitOffsets([{ topic, partition, offset: String(Number(messages.at(-1).offset) + 1) }]);
        },
      });
      await joined;
      return () => consumer.disconnect();
    },
    clear: begin,
    async close() {
      await admin.deleteTopics({ topics });
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}

const CLIENTS = { rabbitmq, redis, kafka };

export const openPlainClient = (kind, url, name) => CLIENTS[kind](url, name);
