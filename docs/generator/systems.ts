import { kafka } from '@tidings/kafka';
import { memory } from '@tidings/memory';
import { mqtt } from '@tidings/mqtt';
import { POSTGRES_CAPABILITIES } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { redis } from '@tidings/redis';
import { rocketmq } from '@tidings/rocketmq';
import type { Capabilities } from '@tidings/core';

export interface System {
  readonly title: string;
  /** Of the transport with untouched settings. */
  readonly capabilities: Capabilities;
}

/** By the transport's kind, in the order of the tables. None of these connects. */
export const SYSTEMS: Readonly<Record<string, System>> = {
  memory: { title: 'in memory', capabilities: memory().capabilities },
  postgres: { title: 'PostgreSQL', capabilities: POSTGRES_CAPABILITIES },
  rabbitmq: { title: 'RabbitMQ', capabilities: rabbitmq({ urls: 'amqp://nowhere' }).capabilities },
  redis: { title: 'Redis', capabilities: redis({ urls: 'redis://nowhere' }).capabilities },
  kafka: { title: 'Kafka', capabilities: kafka({ urls: 'kafka://nowhere' }).capabilities },
  rocketmq: { title: 'RocketMQ', capabilities: rocketmq({ urls: 'rocketmq://nowhere' }).capabilities },
  mqtt: { title: 'MQTT', capabilities: mqtt({ urls: 'mqtt://nowhere' }).capabilities },
};

export type SystemName = keyof typeof SYSTEMS;
