import { randomBytes } from 'node:crypto';
import { TcpProxy } from '@tidings/testing';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaOptions } from './kafka.options';
import { KafkaNames } from './kafka-names';
import { KafkaTransport } from './kafka.transport';

/** A prefix of the spec's own on the real broker, behind a wire that it can cut. `close` deletes what was made under the prefix. */
export class SpecBroker {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly names = new KafkaNames(this.prefix);
  readonly #transports: KafkaTransport[] = [];
  /** A rejection that nobody handles would end the process that uses the transport. */
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (reason: unknown): void => void this.#unhandled.push(reason);

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
  ) {
    process.on('unhandledRejection', this.#onUnhandled);
  }

  static async at(url: string): Promise<SpecBroker> {
    return new SpecBroker(url, await TcpProxy.to(url));
  }

  /** Options of a transport in another process: straight to the broker. */
  get directOptions(): KafkaOptions {
    return {
      urls: this.url,
      prefix: this.prefix,
      partitions: 4,
      sessionTimeoutMs: 6_000,
      heartbeatMs: 100,
      rebalanceDrainMs: 3_000,
      fetchWaitMs: 50,
      commitIntervalMs: 20,
      reconnectMaxMs: 200,
    };
  }

  /** Not yet connected; closed with this. */
  transport(options: Partial<KafkaOptions> = {}): KafkaTransport {
    const { hostname: host, port } = new URL(this.proxy.url);
    const addresses = () => ({ host, port: Number(port) });
    const transport = new KafkaTransport({ ...this.directOptions, addresses, ...options });
    this.#transports.push(transport);
    return transport;
  }

  async connected(options: Partial<KafkaOptions> = {}): Promise<KafkaTransport> {
    const transport = this.transport(options);
    await transport.connect();
    return transport;
  }

  /** The broker without Tidings. */
  get kafka(): Kafka {
    return new Kafka({ clientId: this.prefix, brokers: [new URL(this.url).host], logLevel: logLevel.NOTHING });
  }

  async closeTransports(): Promise<void> {
    await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
  }

  async close(): Promise<void> {
    await this.closeTransports();
    const admin = this.kafka.admin();
    await admin.connect();
    const isOurs = (name: string): boolean => name.startsWith(`${this.prefix}.`);
    const topics = (await admin.listTopics()).filter(isOurs);
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(isOurs);
    if (groups.length > 0) await admin.deleteGroups(groups).catch(() => undefined); // the broker forgets them by itself
    await admin.disconnect();
    await this.proxy.close();
    process.off('unhandledRejection', this.#onUnhandled);
    expect(this.#unhandled).toEqual([]);
  }
}
