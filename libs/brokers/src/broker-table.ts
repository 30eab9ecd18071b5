import type { Broker } from './broker';

/** How soon an impatient process tries again. */
const SOON_MS = 1_000;

export const BROKERS = {
  rabbitmq: {
    variable: 'RABBITMQ_URL',
    address: { pattern: /^amqps?:\/\//, example: 'amqp://user:password@host:5672' },
    local: 'amqp://guest:guest@127.0.0.1:5672',
    async open({ url, prefix, logger, impatient }) {
      const { rabbitmq } = await import('@tidings/rabbitmq');
      const soon = { reconnectMaxMs: SOON_MS, confirmTimeoutMs: 5_000, heartbeatMs: 3_000 };
      return rabbitmq({ urls: [url], prefix, ...(logger && { logger }), ...(impatient && soon) });
    },
  },
} as const satisfies Readonly<Record<string, Broker>>;

export type BrokerName = keyof typeof BROKERS;
export const BROKER_NAMES = Object.keys(BROKERS) as BrokerName[];

/** `postgres` needs no broker: its subscriptions read the outbox's own log. */
export type TransportName = 'postgres' | BrokerName;
export const TRANSPORT_NAMES: readonly TransportName[] = ['postgres', ...BROKER_NAMES];

export const isBroker = (name: string): name is BrokerName => Object.hasOwn(BROKERS, name);
