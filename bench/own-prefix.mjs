// What a row uses at a broker: names that begin with a prefix of its own, deleted at the end.
import { randomUUID } from 'node:crypto';
import { kafka } from '@tidings/kafka';
import { rabbitmq } from '@tidings/rabbitmq';
import { redis } from '@tidings/redis';
import { openPlainClient } from './plain-clients.mjs';

const TRANSPORTS = { rabbitmq, redis, kafka };
export const BROKERS = { rabbitmq: 'RabbitMQ', redis: 'Redis', kafka: 'Kafka' };

/** `kind` and `url` of the broker, the row's topic and group; `given`: the prefix of somebody else, who deletes. */
export function openPrefix({ kind, url }, { topic, group }, given) {
  const prefix = given ?? `bench-${randomUUID().slice(0, 8)}`;
  const transport = (options = {}) => TRANSPORTS[kind]({ urls: url, prefix, ...options });
  return {
    kind,
    prefix,
    transport,
    /** RabbitMQ's only: where the group's messages wait. */
    queue: `${prefix}.${topic}/${group}`,
    /** The client alone, on a queue of its own. */
    plain: () => openPlainClient(kind, url, `${prefix}.by-hand`),
    /** The group exists, nobody consumes: what is published stays in its queue. */
    async declare() {
      const declaring = transport();
      const shape = { ordered: false, broadcast: false, concurrency: 1, from: 'now' };
      await declaring.subscribe({ topic, group, ...shape }, async () => ({ kind: 'release' }));
      await declaring.close();
    },
    async close() {
      if (given !== undefined) return;
      const removing = transport();
      await removing.removeTopic(topic, [group]);
      await removing.close();
    },
  };
}
