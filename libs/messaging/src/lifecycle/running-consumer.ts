import type { ActiveSubscription, Transport } from '@tidings/core';
import { type ReceiverParts, SubscriptionReceiver } from '../handling/subscription-receiver';
import type { PlannedSubscription } from '../handling/subscription-plan';
import type { CircuitDirectory } from './circuit-directory';
import { SubscriptionCircuit } from './subscription-circuit';

/** One subscription of this process, from its start to its drained end. */
export class RunningConsumer {
  readonly #receiver: SubscriptionReceiver;
  #active: ActiveSubscription | undefined;
  #circuit: SubscriptionCircuit | undefined;
  #paused = false;

  constructor(
    readonly planned: PlannedSubscription,
    private readonly parts: ReceiverParts & { readonly circuits: CircuitDirectory },
  ) {
    this.#receiver = new SubscriptionReceiver(planned, parts);
  }

  /** Rejects with CapabilityError when the transport cannot do what the handlers ask. */
  async start(transport: Transport): Promise<void> {
    const { subscription, circuit } = this.planned;
    const active = await transport.subscribe(subscription, this.#receiver.receive);
    this.#active = active;
    if (!circuit) return;
    const { clock, logger, circuits } = this.parts;
    const unlessPaused = {
      pause: () => active.pause(),
      resume: () => (this.#paused ? undefined : active.resume()),
      admitOne: () => (this.#paused ? undefined : active.admitOne()),
    };
    const name = `${subscription.group} on ${subscription.topic}`;
    this.#circuit = new SubscriptionCircuit(circuit, unlessPaused, clock, logger, name);
    circuits.add(subscription, this.#circuit);
  }

  healthy(): boolean {
    return this.#active?.healthy() ?? false;
  }

  /** Begins nothing more until `resume`; what runs goes on, what was taken ahead waits. Safe twice. */
  pause(): void {
    this.#paused = true;
    this.#active?.pause();
  }

  /** While the circuit is open it takes over: its next probe decides. */
  resume(): void {
    this.#paused = false;
    if (!this.#circuit?.open) this.#active?.resume();
  }

  /** Messages handled at once from now on in this process. @throws OptionsError for anything but a whole number from 1. */
  setConcurrency(concurrency: number): void {
    this.#active?.setConcurrency(concurrency);
  }

  /** Takes no more and waits up to `drainMs` for the handlers that run. Safe twice, and before `start`. */
  async stop(drainMs: number): Promise<void> {
    this.#circuit?.stop();
    await Promise.all([this.#active?.stop(drainMs), this.#receiver.stop(drainMs)]);
  }
}
