import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { CompressionTypes, Kafka, type logCreator, logLevel } from 'kafkajs';
import { brokersOf, type KafkaSettings } from '../kafka.options';
import type {
  KafkaAdmin,
  KafkaClient,
  KafkaConsumer,
  KafkaConsumerEvents,
  KafkaConsumerPlan,
  KafkaProducer,
  KafkaRecord,
} from './kafka-client';
import { KafkaJsAdmin } from './kafkajs-admin';
import { KafkaJsConsumer } from './kafkajs-consumer';

/** What is tried again inside the client: short, for whoever calls tries again by itself. */
export const RETRIES = { retries: 4, initialRetryTime: 100, maxRetryTime: 1_000 } as const;

/** kafkajs 2.2.4. */
export class KafkaJsClient implements KafkaClient {
  readonly #kafka: Kafka;

  constructor(private readonly settings: KafkaSettings) {
    const { tls, sasl, addresses, logger } = settings;
    const toDebug: logCreator =
      () =>
      ({ namespace, label, log: { message, timestamp: _, ...fields } }) =>
        logger.debug({ ...fields, client: namespace, level: label }, message); // a rebalance is an ERROR there
    this.#kafka = new Kafka({
      clientId: settings.prefix || 'tidings',
      brokers: brokersOf(settings),
      connectionTimeout: settings.connectTimeoutMs,
      requestTimeout: Math.max(settings.confirmTimeoutMs, settings.sessionTimeoutMs),
      retry: RETRIES,
      logLevel: logLevel.WARN,
      logCreator: toDebug,
      ssl: tls === true ? {} : tls,
      ...(sasl && { sasl: sasl as never }),
      socketFactory: ({ host, port, ssl, onConnect }) => openSocket(addresses?.({ host, port }) ?? { host, port }, host, ssl, onConnect), // prettier-ignore
    });
  }

  producer(): KafkaProducer {
    const { acks, idempotent, compression, confirmTimeoutMs } = this.settings;
    const producer = this.#kafka.producer({
      idempotent,
      allowAutoTopicCreation: false,
      retry: RETRIES,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    return {
      connect: () => producer.connect(),
      send: async (topic, records) => {
        await producer.send({
          topic,
          messages: records as (KafkaRecord & { headers: Record<string, string> })[],
          acks: acks === 'all' ? -1 : acks,
          timeout: confirmTimeoutMs,
          compression: compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
        });
      },
      close: () => producer.disconnect(),
    };
  }

  admin(): KafkaAdmin {
    return new KafkaJsAdmin(this.#kafka);
  }

  consumer(plan: KafkaConsumerPlan, events: KafkaConsumerEvents): KafkaConsumer {
    return new KafkaJsConsumer(this.#kafka, plan, events, this.settings);
  }
}

/** As kafkajs does it, but without Nagle's delay and by way of `addresses`. */
function openSocket(
  address: { readonly host: string; readonly port: number },
  name: string,
  ssl: ConnectionOptions | undefined,
  onConnect: () => void,
): Socket {
  // An IP address is no name to ask for, and still what the certificate must be for.
  const checked = (_host: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate);
  const identity = isIP(name) && !ssl?.servername ? { checkServerIdentity: checked } : { servername: name };
  const socket = ssl ? connectTls({ ...address, ...identity, ...ssl }, onConnect) : connect(address, onConnect);
  socket.setKeepAlive(true, 60_000);
  socket.setNoDelay(true);
  return socket;
}
