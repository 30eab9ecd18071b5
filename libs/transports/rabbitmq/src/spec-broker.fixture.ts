import { randomBytes } from 'node:crypto';
import { TcpProxy } from '@tidings/testing';
import { type Channel, connect } from 'amqplib';
import { DelayQueues, delayName } from './delay-queues';
import type { RabbitMqOptions } from './rabbitmq.options';
import { RabbitMqNames } from './rabbitmq-names';
import { RabbitMqTransport } from './rabbitmq.transport';

const ORDERED_QUEUES = 4;

const distinct = <Call extends readonly unknown[]>(calls: readonly Call[]): Call[] => [
  ...new Map(calls.map((call) => [JSON.stringify(call), call])).values(),
];

/** A prefix of the spec's own on the real broker, behind a wire that it can cut. `close` deletes what was declared under the prefix. */
export class SpecBroker {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly names = new RabbitMqNames(this.prefix);
  readonly #transports: RabbitMqTransport[] = [];
  readonly #topics = jest.spyOn(RabbitMqNames.prototype, 'topic');
  readonly #groups = jest.spyOn(RabbitMqNames.prototype, 'group');
  readonly #delays = jest.spyOn(DelayQueues.prototype, 'declare');
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
  get directOptions(): RabbitMqOptions {
    return { urls: this.url, prefix: this.prefix, orderedQueues: ORDERED_QUEUES, reconnectMaxMs: 200 };
  }

  /** Not yet connected; closed with this. */
  transport(options: Partial<RabbitMqOptions> = {}): RabbitMqTransport {
    const transport = new RabbitMqTransport({ ...this.directOptions, urls: this.proxy.url, ...options });
    this.#transports.push(transport);
    return transport;
  }

  async connected(options: Partial<RabbitMqOptions> = {}): Promise<RabbitMqTransport> {
    const transport = this.transport(options);
    await transport.connect();
    return transport;
  }

  /** Something done at the broker behind the transports' back. */
  async admin<Result>(work: (channel: Channel) => Promise<Result>): Promise<Result> {
    const model = await connect(this.url);
    try {
      return await work(await model.createChannel());
    } finally {
      await model.close();
    }
  }

  async closeTransports(): Promise<void> {
    await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
  }

  async close(): Promise<void> {
    await this.closeTransports();
    await this.proxy.close();
    process.off('unhandledRejection', this.#onUnhandled);
    const topics = distinct(this.#topics.mock.calls);
    const groups = distinct(this.#groups.mock.calls);
    const delays = distinct(this.#delays.mock.calls.map(([, exchange, delayMs]) => [exchange, delayMs] as const));
    for (const spy of [this.#topics, this.#groups, this.#delays]) spy.mockRestore();
    await this.admin(async (channel) => {
      for (const [topic, group] of groups) {
        const lanes = Array.from({ length: ORDERED_QUEUES }, (_, i) =>
          this.names.lanes(topic, group, i, ORDERED_QUEUES),
        );
        const { names } = this;
        for (const queue of [
          names.group(topic, group),
          names.dead(topic, group),
          names.shape(topic, group),
          ...lanes,
        ]) {
          await channel.deleteQueue(queue);
        }
        await channel.deleteExchange(names.group(topic, group));
      }
      for (const [exchange, delayMs] of delays) await channel.deleteQueue(delayName(exchange, delayMs));
      for (const [topic] of topics.filter(([name]) => name.length < 100))
        await channel.deleteExchange(this.names.topic(topic));
    });
    expect(this.#unhandled).toEqual([]);
  }
}
