import type { ActiveSubscription, Transport } from '@tidings/core';
import { type ReceiverParts, SubscriptionReceiver } from '../handling/subscription-receiver';
import type { PlannedSubscription } from '../handling/subscription-plan';

/** One subscription of this process, from its start to its drained end. */
export class RunningConsumer {
  readonly #receiver: SubscriptionReceiver;
  #active: ActiveSubscription | undefined;

  constructor(
    readonly planned: PlannedSubscription,
    parts: ReceiverParts,
  ) {
    this.#receiver = new SubscriptionReceiver(planned, parts);
  }

  /** Rejects with CapabilityError when the transport cannot do what the handlers ask. */
  async start(transport: Transport): Promise<void> {
    this.#active = await transport.subscribe(this.planned.subscription, this.#receiver.receive);
  }

  healthy(): boolean {
    return this.#active?.healthy() ?? false;
  }

  /** Takes no more and waits up to `drainMs` for the handlers that run. Safe twice, and before `start`. */
  async stop(drainMs: number): Promise<void> {
    await Promise.all([this.#active?.stop(drainMs), this.#receiver.stop(drainMs)]);
  }
}
