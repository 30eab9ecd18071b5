import { randomBytes } from 'node:crypto';
import { loopbackHost, TcpProxy } from '@tidings/testing';
import type { RocketMqOptions } from './rocketmq.options';
import { RocketMqNames } from './rocketmq-names';
import { RocketMqTransport } from './rocketmq.transport';

/** A prefix of the spec's own on the real broker, behind a wire that it can cut. `close` deletes what was declared under the prefix. */
export class SpecBroker {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly names = new RocketMqNames(this.prefix);
  readonly #transports: RocketMqTransport[] = [];
  readonly #topics = jest.spyOn(RocketMqNames.prototype, 'topic');
  readonly #groups = jest.spyOn(RocketMqNames.prototype, 'group');
  /** A rejection that nobody handles would end the process that uses the transport. */
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (reason: unknown): void => void this.#unhandled.push(reason);

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
  ) {
    process.on('unhandledRejection', this.#onUnhandled);
  }

  /** The proxy tells its clients to come to its own port at the host that they know: so the wire has that port, at a loopback address of its own. */
  static async at(url: string): Promise<SpecBroker> {
    return new SpecBroker(url, await TcpProxy.to(url, { host: loopbackHost(), port: Number(new URL(url).port) }));
  }

  /** Options of a transport in another process: straight to the broker. */
  get directOptions(): RocketMqOptions {
    return {
      urls: this.url,
      nameServer: `${new URL(this.url).hostname}:9876`,
      prefix: this.prefix,
      invisibleMs: 4_000,
      reconnectMaxMs: 200,
      handBackMs: 0,
    };
  }

  /** Not yet connected; closed with this. */
  transport(options: Partial<RocketMqOptions> = {}): RocketMqTransport {
    const transport = new RocketMqTransport({ ...this.directOptions, urls: this.proxy.url, ...options });
    this.#transports.push(transport);
    return transport;
  }

  async connected(options: Partial<RocketMqOptions> = {}): Promise<RocketMqTransport> {
    const transport = this.transport(options);
    await transport.connect();
    return transport;
  }

  async close(): Promise<void> {
    const [topics, groups] = [this.#topics.mock.calls, this.#groups.mock.calls];
    const pairs = new Map<string, Set<string>>(topics.map(([topic]) => [topic, new Set()]));
    for (const [topic, group] of groups) pairs.set(topic, new Set([...(pairs.get(topic) ?? []), group]));
    for (const spy of [this.#topics, this.#groups]) spy.mockRestore();
    await Promise.all(this.#transports.map((transport) => transport.close()));
    await Promise.all(this.#transports.map((transport) => transport.ended()));
    await this.proxy.close();
    const remover = new RocketMqTransport(this.directOptions);
    const standing = [...pairs].filter(([topic]) => topic.length < 100); // longer names were refused
    for (const [topic, of] of standing) await remover.removeTopic(topic, [...of]);
    await remover.close();
    process.off('unhandledRejection', this.#onUnhandled);
    expect(this.#unhandled).toEqual([]);
  }
}
