import { randomBytes } from 'node:crypto';
import { TcpProxy } from '@tidings/testing';
import { GroupShapes } from './group-shapes';
import type { MqttOptions } from './mqtt.options';
import { MqttTransport } from './mqtt.transport';

/** A prefix of the spec's own on the real broker, behind a wire that it can cut. `close` removes what was declared under the prefix. */
export class SpecBroker {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly #transports: MqttTransport[] = [];
  readonly #groups = jest.spyOn(GroupShapes.prototype, 'insist');
  /** A rejection that nobody handles would end the process that uses the transport. */
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (reason: unknown): void => void this.#unhandled.push(reason);

  private constructor(
    readonly url: string,
    readonly proxy: TcpProxy,
    private readonly options: Partial<MqttOptions>,
  ) {
    process.on('unhandledRejection', this.#onUnhandled);
  }

  static async at(url: string, options: Partial<MqttOptions> = {}): Promise<SpecBroker> {
    return new SpecBroker(url, await TcpProxy.to(url), options);
  }

  /** Options of a transport in another process: straight to the broker. */
  get directOptions(): MqttOptions {
    return { urls: this.url, prefix: this.prefix, reconnectMaxMs: 200, ...this.options };
  }

  /** Not yet connected; closed with this. */
  transport(options: Partial<MqttOptions> = {}): MqttTransport {
    const transport = new MqttTransport({ ...this.directOptions, urls: this.proxy.url, ...options });
    this.#transports.push(transport);
    return transport;
  }

  async connected(options: Partial<MqttOptions> = {}): Promise<MqttTransport> {
    const transport = this.transport(options);
    await transport.connect();
    return transport;
  }

  /** Closes the transports, and ends the sessions of all groups that were subscribed to. */
  async settle(): Promise<void> {
    await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
    const groups = new Map(
      this.#groups.mock.calls.map(([{ topic, group }]) => [JSON.stringify([topic, group]), { topic, group }]),
    );
    this.#groups.mockClear();
    if (groups.size === 0) return;
    const transport = new MqttTransport(this.directOptions);
    for (const { topic, group } of groups.values()) await transport.removeTopic(topic, [group]);
    await transport.close();
  }

  async close(): Promise<void> {
    await this.settle();
    this.#groups.mockRestore();
    await this.proxy.close();
    process.off('unhandledRejection', this.#onUnhandled);
    expect(this.#unhandled).toEqual([]);
  }
}
