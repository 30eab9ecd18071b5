import type { Broker } from './broker';

/** How soon an impatient process tries again. */
const SOON_MS = 1_000;

export const BROKERS = {
  rabbitmq: {
    variable: 'RABBITMQ_URL',
    address: { pattern: /^amqps?:\/\//, example: 'amqp://user:password@host:5672' },
    local: 'amqp://guest:guest@127.0.0.1:5672',
    carriesRequests: true,
    takeOverMs: 0, // a connection that ends tells the broker
    async open({ url, prefix, logger, impatient }) {
      const { rabbitmq } = await import('@tidings/rabbitmq');
      const soon = { reconnectMaxMs: SOON_MS, confirmTimeoutMs: 5_000, heartbeatMs: 3_000 };
      return rabbitmq({ urls: [url], prefix, ...(logger && { logger }), ...(impatient && soon) });
    },
  },
  redis: {
    variable: 'REDIS_URL',
    address: { pattern: /^rediss?:\/\//, example: 'redis://user:password@host:6379' },
    local: 'redis://127.0.0.1:6379',
    carriesRequests: false,
    takeOverMs: 10_000,
    async open({ url, prefix, logger, impatient }) {
      const { redis } = await import('@tidings/redis');
      const soon = { reconnectMaxMs: SOON_MS, leaseMs: 2_000, reclaimEveryMs: 2_000, reclaimIdleMs: 2_000 };
      return redis({ urls: [url], prefix, ...(logger && { logger }), ...(impatient && soon) });
    },
  },
  kafka: {
    variable: 'KAFKA_URL',
    address: { pattern: /^kafka:\/\//, example: 'kafka://host:9092' },
    local: 'kafka://127.0.0.1:9092',
    carriesRequests: false,
    takeOverMs: 20_000, // a session of 6 s, which is the least that a broker allows by default, and a rebalance
    async open({ url, prefix, logger, impatient, proxied }) {
      const { kafka } = await import('@tidings/kafka');
      const soon = { reconnectMaxMs: SOON_MS, sessionTimeoutMs: 6_000, heartbeatMs: 1_000 };
      const { hostname: host, port } = new URL(url);
      const addresses = () => ({ host, port: Number(port) });
      return kafka({ urls: [url], prefix, ...(logger && { logger }), ...(impatient && soon), ...(proxied && { addresses }) }); // prettier-ignore
    },
  },
  rocketmq: {
    variable: 'ROCKETMQ_URL',
    address: { pattern: /^rocketmq:\/\//, example: 'rocketmq://host:8081' },
    local: 'rocketmq://127.0.0.1:8081',
    carriesRequests: false,
    fixedPorts: [9876], // the name server is at the same host; the proxy names its own port to its clients, too
    takeOverMs: 15_000, // what a dead process had taken stays invisible until its time is over, and some seconds more
    async open({ url, prefix, logger, impatient }) {
      const { rocketmq } = await import('@tidings/rocketmq');
      const soon = { invisibleMs: 10_000, reconnectMaxMs: SOON_MS }; // the least that a broker allows by default
      return rocketmq({ urls: [url], prefix, ...(logger && { logger }), ...(impatient && soon) });
    },
  },
  mqtt: {
    variable: 'MQTT_URL',
    address: { pattern: /^mqtts?:\/\//, example: 'mqtt://host:1883' },
    local: 'mqtt://127.0.0.1:1883',
    crashLoses: 'Mosquitto writes its sessions when it stops in order, and each half hour',
    carriesRequests: true,
    takeOverMs: 10_000,
    async open({ url, prefix, logger, impatient, atMostOnce }) {
      const { mqtt } = await import('@tidings/mqtt');
      const soon = { reconnectMaxMs: SOON_MS, presenceMs: 1_000, keepAliveMs: 3_000 };
      return mqtt({
        urls: [url],
        prefix,
        ...(logger && { logger }),
        ...(impatient && soon),
        ...(atMostOnce && { qos: 0 }),
      });
    },
  },
} as const satisfies Readonly<Record<string, Broker>>;

export type BrokerName = keyof typeof BROKERS;
export const BROKER_NAMES = Object.keys(BROKERS) as BrokerName[];

/** `postgres` needs no broker: its subscriptions read the outbox's own log. */
export type TransportName = 'postgres' | BrokerName;
export const TRANSPORT_NAMES: readonly TransportName[] = ['postgres', ...BROKER_NAMES];

export const isBroker = (name: string): name is BrokerName => Object.hasOwn(BROKERS, name);
