import type { OnFailure, Subscription } from '@tidings/core';
import { inboundPlace, KeyReleaser, type Release } from '@tidings/parked-keys';
import type { PlannedHandler, PlannedSubscription } from '../handling/subscription-plan';
import { SubscriptionReceiver } from '../handling/subscription-receiver';
import type { MessagingRuntime } from '../messaging-runtime';
import type { FollowedControls } from './followed-controls';

const PARK: OnFailure = 'park';

/** One a store: lets the parked keys of this process's subscriptions go on, by the same chain as a delivery's, without the parking. */
export class KeyReleasers {
  readonly #receivers: SubscriptionReceiver[] = [];
  readonly #releasers: KeyReleaser[];

  constructor(runtime: MessagingRuntime, planned: readonly PlannedSubscription[], controls: FollowedControls) {
    const { clock, logger, instance, releasedChain: chain, shared } = runtime;
    this.#releasers = runtime.stores.map(({ name, parkedKeys }) => {
      const places = new Map<string, readonly [Subscription, Release]>();
      for (const one of planned) {
        if (!one.handlers.some((handler) => handler.onFailure === PARK && storesOf(handler).includes(name))) continue;
        const receiver = new SubscriptionReceiver(one, { chain, shared, clock, logger });
        this.#receivers.push(receiver);
        const release: Release = ({ message, stamp }, attempt, signal) =>
          receiver.receive({ message, attempt, redelivered: true, ...(stamp && { stamp }) }, signal);
        places.set(inboundPlace(one.subscription).place, [one.subscription, release]);
      }
      /** Keys of a paused subscription are not claimed; one that is being released ends its turn first. */
      const running = (all: typeof places) =>
        new Map(
          [...all].flatMap(([place, [subscription, release]]) =>
            controls.of(subscription)?.paused ? [] : [[place, release]],
          ),
        );
      return new KeyReleaser({
        parkedKeys,
        direction: 'inbound',
        places: () => running(places),
        instance,
        clock,
        logger,
      });
    });
  }

  async start(): Promise<void> {
    for (const releaser of this.#releasers) await releaser.start();
  }

  async stop(drainMs: number): Promise<void> {
    await Promise.all([...this.#releasers, ...this.#receivers].map((one) => one.stop(drainMs)));
  }
}

/** Where keys of a handler may be parked: in any shard, and in its own store those of which nobody knows the shard. */
const storesOf = ({ store, shards }: PlannedHandler): readonly string[] => [store, ...(shards?.among ?? [])];
