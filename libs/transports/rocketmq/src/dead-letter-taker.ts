import { asError, backoffMs, type NativeDeadLetter } from '@tidings/core';
import type { BrokerAdmin } from './broker-admin';
import type { HeldMessage } from './held-message';
import { letterOf } from './native-dead-letters';
import type { Reachability } from './reachability';
import { ReceiveLoop } from './receive-loop';
import type { RocketMqSettings } from './rocketmq.options';
import type { RocketMqNames } from './rocketmq-names';

export type Bury = (letter: NativeDeadLetter) => Promise<void>;

/** As many deliveries as a keeper may need that is away for long: nothing is dead once more. */
const DELIVERIES = 100_000;

/**
 * Empties both of a group's dead-letter topics into a keeper, ours and the broker's `%DLQ%`, one letter at a time: acked when it is buried, so that a crash leaves
 * it where it was. Several processes may do it at once; each letter is with one of them.
 */
export class DeadLetterTaker {
  readonly #stopping = new AbortController();
  readonly #loops: readonly ReceiveLoop[];
  readonly #group: string;
  readonly #ended: Promise<void>;
  #hasEnded!: () => void;
  #ending: Promise<void> | undefined;
  #burying: Promise<void> = Promise.resolve();

  constructor(
    private readonly place: { readonly topic: string; readonly group: string },
    private readonly bury: Bury,
    private readonly admin: BrokerAdmin,
    reachability: Reachability,
    private readonly names: RocketMqNames,
    private readonly settings: RocketMqSettings,
  ) {
    this.#ended = new Promise((resolve) => (this.#hasEnded = resolve));
    const { topic, group } = place;
    this.#group = names.burier(topic, group);
    this.#loops = [names.dead(topic, group), names.brokersDead(topic, group)].map(
      (dead) =>
        new ReceiveLoop({ topic: dead, group: this.#group, tags: '*' }, settings, reachability, {
          serial: 1,
          free: () => 1,
          take: (held) => this.#take(held),
          declare: () => this.#declare(),
        }),
    );
  }

  async start(): Promise<void> {
    await this.#declare();
    await Promise.all(this.#loops.map((loop) => loop.start()));
  }

  /** Waits for the letter that is being buried; the others stay at the broker. Safe twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const loop of this.#loops) loop.stop();
    await this.#burying;
    this.#ending ??= this.#end();
    void this.#ending.then(this.#hasEnded, this.#hasEnded);
  }

  /** When its last receive has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  async #end(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.ended()));
    await this.#burying;
    await Promise.all(this.#loops.map((loop) => loop.close()));
  }

  async #declare(): Promise<void> {
    if (!this.settings.provision) return;
    const { topic, group } = this.place;
    for (const dead of [this.names.dead(topic, group), this.names.brokersDead(topic, group)])
      await this.admin.ensureTopic(dead, 'NORMAL');
    await this.admin.ensureGroup(this.#group, { ordered: false, deliveries: DELIVERIES });
    for (const dead of [this.names.dead(topic, group), this.names.brokersDead(topic, group)])
      await this.admin.begin(this.#group, dead, 'earliest');
  }

  /** One at a time over both topics. */
  #take(held: HeldMessage): Promise<void> {
    this.#burying = this.#burying.then(() => this.#buried(held));
    return this.#burying;
  }

  /** Never rejects. What was given up goes back at once. */
  async #buried(held: HeldMessage): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    const letter = letterOf(held.view, this.place.topic, 0);
    for (let failures = 0; held.alive && !this.#stopping.signal.aborted;) {
      try {
        await this.bury(letter);
        await held.ack();
        return;
      } catch (thrown) {
        const { group } = this.place;
        logger.warn(
          { group, message: letter.message.id, err: asError(thrown) },
          'a dead letter waits: it was not buried',
        );
        await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#stopping.signal);
      }
    }
    if (held.alive) await held.giveBack(0);
  }
}
