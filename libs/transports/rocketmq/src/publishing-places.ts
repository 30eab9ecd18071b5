import { asError, failed, type OutgoingMessage, type PublishResult } from '@tidings/core';
import type { BrokerAdmin } from './broker-admin';
import { RocketMqRefusedError, RocketMqShapeError, UnroutableError } from './rocketmq.errors';
import type { RocketMqSettings } from './rocketmq.options';
import type { RocketMqNames } from './rocketmq-names';

/** How long a topic's groups are taken for known. One that is deleted meanwhile is not noticed; one that is missing is asked for each time. */
const KNOWN_MS = 10_000;

/** Makes topics before the first message goes there, and knows whom they reach. */
export class PublishingPlaces {
  readonly #topics = new Map<string, Promise<void>>();
  readonly #groups = new Map<string, { readonly asked: Promise<ReadonlySet<string>>; readonly untilMs: number }>();

  constructor(
    private readonly admin: BrokerAdmin,
    private readonly names: RocketMqNames,
    private readonly settings: RocketMqSettings,
  ) {}

  /** What keeps the message from its place; undefined when nothing does. Never rejects. */
  async problemOf(
    outgoing: OutgoingMessage,
    place: string,
    type: 'FIFO' | 'DELAY' | 'TRANSACTION',
  ): Promise<PublishResult | undefined> {
    const { provision } = this.settings;
    if (!provision) return undefined;
    try {
      await this.ensure(place, type);
      const { message, group, route = 'required' } = outgoing;
      if (route === 'optional' || (await this.#reaches(message.topic, group))) return undefined;
      return failed('unroutable', new UnroutableError(message.topic, group));
    } catch (thrown) {
      const forGood = thrown instanceof RocketMqShapeError || thrown instanceof RocketMqRefusedError;
      return failed(forGood ? 'refused' : 'transient', asError(thrown));
    }
  }

  ensure(topic: string, type: 'FIFO' | 'DELAY' | 'TRANSACTION' | 'NORMAL'): Promise<void> {
    let ensured = this.#topics.get(topic);
    if (!ensured) {
      ensured = this.settings.provision ? this.admin.ensureTopic(topic, type) : Promise.resolve();
      ensured.catch(() => this.forget(topic)); // asked again at the next publish
      this.#topics.set(topic, ensured);
    }
    return ensured;
  }

  /** What was seen to stand at the broker may be gone. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  async #reaches(topic: string, group: string | undefined): Promise<boolean> {
    const native = group === undefined ? undefined : this.names.group(topic, group);
    const reached = (groups: ReadonlySet<string>): boolean =>
      native === undefined ? groups.size > 0 : groups.has(native);
    const place = this.names.topic(topic);
    const nowMs = this.settings.clock.monotonic();
    const known = this.#groups.get(place);
    if (known && known.untilMs > nowMs && reached(await known.asked)) return true;
    const asked = this.admin.groupsOf(place);
    asked.catch(() => this.#groups.delete(place));
    this.#groups.set(place, { asked, untilMs: nowMs + KNOWN_MS });
    return reached(await asked);
  }
}
