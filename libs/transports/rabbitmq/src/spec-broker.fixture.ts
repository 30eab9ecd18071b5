import { randomBytes } from 'node:crypto';
import { type Channel, connect } from 'amqplib';
import type { RabbitMqOptions } from './rabbitmq.options';
import { RabbitMqNames } from './rabbitmq-names';
import { RabbitMqTransport } from './rabbitmq.transport';
import { TcpProxy } from './tcp-proxy.fixture';

const ORDERED_QUEUES = 4;

/** A prefix of the spec's own on the real broker, behind a wire that it can cut. `close` deletes what was declared under the prefix. */
export class SpecBroker {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly names = new RabbitMqNames(this.prefix);
  readonly #transports: RabbitMqTransport[] = [];
  readonly #topics = jest.spyOn(RabbitMqNames.prototype, 'topic');
  readonly #groups = jest.spyOn(RabbitMqNames.prototype, 'group');

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
  ) {}

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
    const [topics, groups] = [[...this.#topics.mock.calls], [...this.#groups.mock.calls]];
    this.#topics.mockRestore();
    this.#groups.mockRestore();
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
      for (const [topic] of topics) await channel.deleteExchange(this.names.topic(topic));
    });
  }
}
