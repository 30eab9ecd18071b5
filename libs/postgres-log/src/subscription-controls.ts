import type { Closeable } from '@tidings/core';
import { controlChecks } from './control-checks';
import { ControlFollower, type ControlsListener } from './control-follower';
import type { MessageLog } from './message-log';
import { listSubscriptionControls } from './sql/list-subscription-controls';
import { pauseSubscription } from './sql/pause-subscription';
import { resumeSubscription } from './sql/resume-subscription';
import { type ConcurrencyColumn, setSubscriptionConcurrency } from './sql/set-subscription-concurrency';
import type { SubscriptionControl } from './subscription-control';
import type { SubscriptionName } from './subscription-name';

/** What operators decide of subscriptions, kept in a store and followed by all of its processes. Any number of calls at once, from any process. */
export class SubscriptionControls {
  constructor(private readonly log: MessageLog) {}

  /** Durable when it resolves. @throws OptionsError for a missing or unstorable reason or name. */
  async pause(name: SubscriptionName, { by, reason }: { readonly by: string; readonly reason: string }): Promise<void> {
    await pauseSubscription(
      this.log.store,
      controlChecks.name(name),
      controlChecks.text('by', by),
      controlChecks.text('reason', reason),
    );
    this.log.signals.controlsChanged();
  }

  /** False: it was not paused. */
  async resume(name: SubscriptionName): Promise<boolean> {
    const resumed = await resumeSubscription(this.log.store, controlChecks.name(name));
    if (resumed) this.log.signals.controlsChanged();
    return resumed;
  }

  /** Null: the number in the code counts again. @throws OptionsError for anything but null or a whole number from 1 to 10,000. */
  setConcurrency(name: SubscriptionName, concurrency: number | null, { by }: { readonly by: string }): Promise<void> {
    return this.#set('concurrency', 'concurrency', name, concurrency, by);
  }

  /** As `setConcurrency`, for the messages of one key. */
  setKeyConcurrency(
    name: SubscriptionName,
    concurrency: number | null,
    { by }: { readonly by: string },
  ): Promise<void> {
    return this.#set('keyConcurrency', 'key_concurrency', name, concurrency, by);
  }

  /** Those in force: paused, or with a concurrency of their own. */
  list(): Promise<SubscriptionControl[]> {
    return listSubscriptionControls(this.log.store);
  }

  /** Tells of what is in force before it resolves, and again after each change, by whatever process. */
  async follow(listener: ControlsListener): Promise<Closeable> {
    const follower = new ControlFollower(this.log, listener);
    await follower.start();
    return { close: () => follower.stop() };
  }

  async #set(
    field: 'concurrency' | 'keyConcurrency',
    column: ConcurrencyColumn,
    name: SubscriptionName,
    concurrency: number | null,
    by: string,
  ): Promise<void> {
    controlChecks.number(field, concurrency);
    const text = controlChecks.text('by', by);
    await setSubscriptionConcurrency(this.log.store, controlChecks.name(name), column, text, concurrency);
    this.log.signals.controlsChanged();
  }
}
