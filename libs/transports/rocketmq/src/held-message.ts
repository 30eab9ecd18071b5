import { asError, backoffMs } from '@tidings/core';
import type { MessageView } from 'rocketmq-client-nodejs';
import { callFailureOf } from './call-failure';
import type { RocketMqSettings } from './rocketmq.options';
import type { RocketMqConsumer } from './rocketmq-consumer';

/** Renewals in one invisible time: two may fail. */
const RENEWALS = 3;
/** RocketMQ's `maxInvisibleTimeMills`. */
export const MAX_INVISIBLE_MS = 12 * 3_600_000;

/**
 * A message that this process received. The broker hides it from the group for a while (its invisible time), which is renewed until it is settled; when that
 * failed for as long as it lasts, somebody else may have it: it is `alive` no more, and nothing is done about it.
 */
export class HeldMessage {
  readonly #done = new AbortController();
  #untilMs: number;
  #calling: Promise<unknown> = Promise.resolve();
  #lost = false;

  constructor(
    readonly view: MessageView,
    private readonly consumer: RocketMqConsumer,
    private readonly settings: RocketMqSettings,
  ) {
    this.#untilMs = settings.clock.monotonic() + settings.invisibleMs;
    void this.#renew();
  }

  get alive(): boolean {
    return !this.#lost && this.settings.clock.monotonic() < this.#untilMs;
  }

  /** Done: never again for this group. False when it was too late. */
  ack(): Promise<boolean> {
    return this.#settle(() => this.consumer.acked(this.view));
  }

  /** To the group again after this time; its next delivery has one attempt more. */
  giveBack(afterMs: number): Promise<boolean> {
    const ms = Math.min(Math.max(1, Math.ceil(afterMs)), MAX_INVISIBLE_MS);
    return this.#settle(async () => {
      await this.consumer.changeInvisibleDuration(this.view, ms);
      return true;
    });
  }

  /** Tried again while the message is ours; a receipt is good for one call, so one call at a time. */
  async #settle(call: () => Promise<boolean>): Promise<boolean> {
    this.#done.abort();
    for (let failures = 0; this.alive;) {
      await this.#calling;
      if (!this.alive) return false;
      try {
        return await call();
      } catch (thrown) {
        this.#failed(thrown);
        if (!this.#lost) await this.settings.clock.wait(backoffMs(++failures, this.settings.reconnectMaxMs));
      }
    }
    return false;
  }

  async #renew(): Promise<void> {
    const { clock, invisibleMs } = this.settings;
    const done = this.#done.signal;
    while (this.alive && !done.aborted) {
      await clock.wait(invisibleMs / RENEWALS, done);
      if (done.aborted) return;
      const sentMs = clock.monotonic();
      const renewing = this.consumer.changeInvisibleDuration(this.view, invisibleMs).then(
        () => (this.#untilMs = sentMs + invisibleMs),
        (thrown: unknown) => this.#failed(thrown),
      );
      this.#calling = renewing;
      await renewing;
    }
  }

  /** A receipt that the broker refuses is one whose time was over. */
  #failed(thrown: unknown): void {
    if (callFailureOf(thrown) !== 'away') this.#lost = true;
    const { topic, messageId } = this.view;
    this.settings.logger.debug(
      { topic, message: messageId, err: asError(thrown) },
      'a held message could not be kept or settled',
    );
  }
}
