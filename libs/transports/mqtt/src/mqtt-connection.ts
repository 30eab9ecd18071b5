import { asError, backoffMs } from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import { MqttAwayError, MqttClosedError } from './mqtt.errors';
import type { MqttSettings } from './mqtt.options';
import { type LinkPlan, MqttLink } from './mqtt-link';

/** Tries each address once. @throws MqttAwayError when none answers. */
export async function openLink(settings: MqttSettings, plan: LinkPlan): Promise<MqttLink> {
  const failures: string[] = [];
  for (const url of settings.urls) {
    try {
      return await MqttLink.open(url, settings, plan);
    } catch (thrown) {
      failures.push(`${new URL(url).host}: ${asError(thrown).message}`);
    }
  }
  throw new MqttAwayError('no broker answers', failures.join('; '));
}

/** A connection that comes back by itself, with a session of its own that ends with each connection. */
export class MqttConnection {
  readonly #stopping = new AbortController();
  readonly #watched = new Set<(packet: IPublishPacket) => void>();
  readonly #setUps = new Set<(link: MqttLink) => Promise<void>>();
  #link: MqttLink | undefined;
  #lastError: Error | undefined;
  #keeping: Promise<void> | undefined;

  constructor(
    private readonly plan: Omit<LinkPlan, 'receive' | 'keepsSession'>,
    private readonly settings: MqttSettings,
  ) {}

  /** Undefined while it is away. */
  get link(): MqttLink | undefined {
    return this.#link?.alive ? this.#link : undefined;
  }

  get detail(): string {
    if (this.link) return `connected to ${this.link.address}`;
    return `not connected${this.#lastError ? `, last: ${this.#lastError.message}` : ''}`;
  }

  /** Called for whatever comes, until the returned function is called. */
  watch(receive: (packet: IPublishPacket) => void): () => void {
    this.#watched.add(receive);
    return () => void this.#watched.delete(receive);
  }

  /** Done on this link and on each one after it, until the returned function is called. Rejects when this link could not; the next ones try again. */
  async onEachLink(setUp: (link: MqttLink) => Promise<void>): Promise<() => void> {
    this.#setUps.add(setUp);
    const forget = (): void => void this.#setUps.delete(setUp);
    try {
      await setUp(this.insist());
    } catch (thrown) {
      forget();
      throw thrown;
    }
    return forget;
  }

  /** @throws MqttAwayError */
  insist(): MqttLink {
    if (this.link) return this.link;
    throw new MqttAwayError('no connection', this.detail);
  }

  /** Safe again after it has failed, not concurrently. */
  async open(): Promise<void> {
    if (this.#keeping) return;
    const link = await this.#connect();
    if (this.#stopping.signal.aborted) {
      await link.close();
      throw new MqttClosedError('connect');
    }
    this.#keeping = this.#keep(link);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#link?.close();
    await this.#keeping;
  }

  #connect(): Promise<MqttLink> {
    return openLink(this.settings, {
      ...this.plan,
      keepsSession: false,
      receive: (packet) => {
        for (const receive of [...this.#watched]) receive(packet);
      },
    });
  }

  async #keep(first: MqttLink): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    for (let link: MqttLink | undefined = first; link;) {
      this.#link = link;
      this.#lastError = await link.lost;
      if (this.#stopping.signal.aborted) return;
      logger.warn({ address: link.address, err: this.#lastError }, 'the connection to the MQTT broker was lost');
      link = undefined;
      for (let failures = 0; !link && !this.#stopping.signal.aborted;) {
        let next: MqttLink | undefined;
        try {
          next = await this.#connect();
          for (const setUp of [...this.#setUps]) await setUp(next);
          link = next;
        } catch (thrown) {
          next?.destroy();
          this.#lastError = asError(thrown);
          await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#stopping.signal);
        }
      }
      if (this.#stopping.signal.aborted) return void (await link?.close());
      if (link) logger.info({ address: link.address }, 'connected to the MQTT broker again');
    }
  }
}
