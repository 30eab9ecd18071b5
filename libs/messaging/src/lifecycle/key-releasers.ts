import type { OnFailure } from '@tidings/core';
import { inboundPlace, type Release } from '@tidings/parked-keys';
import type { PlannedHandler } from '../handling/handler-plan';
import { SubscriptionReceiver } from '../handling/subscription-receiver';
import type { MessagingRuntime } from '../messaging-runtime';
import type { Releaser } from '../store-patterns';
import type { RunningConsumer } from './running-consumer';

const PARK: OnFailure = 'park';

/**
 * One a store: lets the parked keys of this process's subscriptions go on, by the same chain as a delivery's, without the parking. Those of a paused
 * subscription wait with it; while a circuit is open its middleware lets none in but the probe.
 */
export class KeyReleasers {
  readonly #receivers: SubscriptionReceiver[] = [];
  readonly #releasers: readonly Releaser[];

  constructor(runtime: MessagingRuntime, consumers: readonly RunningConsumer[]) {
    const { clock, logger, releasedChain: chain, shared } = runtime;
    this.#releasers = runtime.stores.map(({ name, releaserOf }) => {
      const places = new Map<string, Release>();
      const owners = new Map<string, RunningConsumer>();
      for (const consumer of consumers) {
        const one = consumer.planned;
        if (!one.handlers.some((handler) => handler.onFailure === PARK && storesOf(handler).includes(name))) continue;
        const receiver = new SubscriptionReceiver(one, { chain, shared, clock, logger });
        this.#receivers.push(receiver);
        const release: Release = ({ message, stamp }, attempt, signal) =>
          receiver.receive({ message, attempt, redelivered: true, ...(stamp && { stamp }) }, signal);
        const { place } = inboundPlace(one.subscription);
        owners.set(place, consumer);
        places.set(place, release);
      }
      return releaserOf(places, (place) => owners.get(place)?.paused !== true);
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
