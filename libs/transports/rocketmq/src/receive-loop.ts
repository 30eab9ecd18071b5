import { asError, backoffMs } from '@tidings/core';
import { callFailureOf } from './call-failure';
import { started } from './client-options';
import { HeldMessage } from './held-message';
import type { Reachability } from './reachability';
import type { RocketMqSettings } from './rocketmq.options';
import { RocketMqConsumer } from './rocketmq-consumer';

export interface ReceiveWork {
  /**
   * So many receives at once, of one message each, and the next one only when that is settled: larger batches of an ordered queue come again when they are
   * settled out of order. 0: one receive at a time, of as many messages as could be taken.
   */
  readonly serial: number;
  /** Deliveries that could be taken now; not asked where `serial` says it. */
  free(): number;
  /** Resolves when the message is settled. */
  take(held: HeldMessage): Promise<void>;
  /** Makes topic and group anew when the broker says that they are gone. */
  declare(): Promise<void>;
}

/** RocketMQ's limit of a receive. */
const MOST = 32;

/** Receives from one topic for as long as it is wanted. */
export class ReceiveLoop {
  readonly #consumer: RocketMqConsumer;
  readonly #running: Promise<void>[] = [];
  readonly #stopping = new AbortController();
  /** Opened by whatever may have made a place free. */
  #changed = new AbortController();
  #healthy = false;

  constructor(
    private readonly place: { readonly topic: string; readonly group: string; readonly tags: string },
    private readonly settings: RocketMqSettings,
    private readonly reachability: Reachability,
    private readonly work: ReceiveWork,
  ) {
    this.#consumer = new RocketMqConsumer(settings, place);
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  /** @throws RocketMqStartError when the client hangs, as it does with a missing group. */
  async start(): Promise<void> {
    await started(this.#consumer, `a consumer of group ${this.place.group} on ${this.place.topic}`, this.settings);
    this.#healthy = true;
    for (let loop = 0; loop < Math.max(1, this.work.serial); loop++) this.#running.push(this.#run());
  }

  /** The number of free places may have changed. */
  refresh(): void {
    this.#changed.abort();
    if (!this.#stopping.signal.aborted) this.#changed = new AbortController();
  }

  /** Receives no more when the receives that wait now have ended. */
  stop(): void {
    this.#healthy = false;
    this.#stopping.abort();
    this.#changed.abort();
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  close(): Promise<void> {
    return this.#consumer.end();
  }

  async #run(): Promise<void> {
    const { clock, reconnectMaxMs } = this.settings;
    const stopping = this.#stopping.signal;
    for (let failures = 0; !stopping.aborted;) {
      const most = this.work.serial > 0 ? 1 : Math.min(MOST, this.work.free());
      if (most <= 0) {
        await this.#change();
        continue;
      }
      try {
        const views = await this.#consumer.receive(most, this.settings.invisibleMs);
        failures = 0;
        this.#healthy = !stopping.aborted;
        this.reachability.works();
        const taken = views.map((view) => this.#taken(new HeldMessage(view, this.#consumer, this.settings)));
        if (this.work.serial > 0) await Promise.all(taken);
      } catch (thrown) {
        await this.#failed(thrown);
        await clock.wait(backoffMs(++failures, reconnectMaxMs), stopping);
      }
    }
  }

  async #taken(held: HeldMessage): Promise<void> {
    await this.work.take(held);
    this.refresh();
  }

  async #change(): Promise<void> {
    const changed = this.#changed.signal;
    if (changed.aborted) return;
    await new Promise<void>((resolve) => changed.addEventListener('abort', () => resolve(), { once: true }));
  }

  async #failed(thrown: unknown): Promise<void> {
    const error = asError(thrown);
    if (this.#stopping.signal.aborted) return;
    this.#healthy = false;
    const failure = callFailureOf(thrown);
    this.settings.logger.warn({ ...this.place, err: error }, 'a receive failed; it is tried again');
    if (failure === 'away') this.reachability.fails(error);
    else await this.work.declare().catch(() => undefined); // tried again with the next receive
  }
}
