import { type Clock, type MessageContract, PeriodicTask, type TidingsLogger, timestampOf } from '@tidings/core';
import { Subscribed } from './callback.contracts';

export interface SubscriptionsAnnouncerSetup {
  readonly publish: <Payload, Input>(contract: MessageContract<Payload, Input>, payload: Input) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/**
 * Told again and again, each time twice as late, up to this: a registry that was lost, or came later than its subscribers, learns of them. Soon at first,
 * for a log as Kafka's confirms also what was published before the registry's group stood, and the group begins behind it.
 */
const EVERY_MS = 600_000;
const AGAIN_MS = 2_000;

/** Tells the callback service which subscriptions confirm, once they have started, until it has heard. */
export class SubscriptionsAnnouncer {
  readonly #task: PeriodicTask;
  #subscriptions: readonly { readonly type: string; readonly group: string }[] = [];
  #since = '';
  #againMs = AGAIN_MS;
  #refused = false;

  constructor(private readonly setup: SubscriptionsAnnouncerSetup) {
    const { clock, logger } = setup;
    this.#task = new PeriodicTask({ name: 'callback subscriptions', everyMs: EVERY_MS, runOnce: () => this.#tell(), clock, logger }); // prettier-ignore
  }

  start(subscriptions: readonly { readonly type: string; readonly group: string }[]): void {
    this.#subscriptions = subscriptions;
    this.#since = timestampOf(this.setup.clock.now());
    if (subscriptions.length > 0) this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #tell(): Promise<{ nextMs?: number }> {
    try {
      await this.setup.publish(Subscribed, { subscriptions: [...this.#subscriptions], since: this.#since });
      this.#refused = false;
      const nextMs = this.#againMs;
      this.#againMs = Math.min(EVERY_MS, 2 * nextMs);
      return { nextMs };
    } catch (err) {
      if (!this.#refused) this.setup.logger.warn({ err }, 'the callback service could not be told of subscriptions; it is told again'); // prettier-ignore
      this.#refused = true;
      return { nextMs: AGAIN_MS };
    }
  }
}
