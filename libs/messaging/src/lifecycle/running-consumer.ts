import { type ActiveSubscription, KeyLimit, type Pace, type Transport } from '@tidings/core';
import { type ReceiverParts, SubscriptionReceiver } from '../handling/subscription-receiver';
import type { PlannedSubscription } from '../handling/subscription-plan';
import type { CircuitDirectory } from './circuit-directory';
import type { FollowedControls } from './followed-controls';
import { SubscriptionCircuit } from './subscription-circuit';

/** One subscription of this process, from its start to its drained end. */
export class RunningConsumer {
  readonly #receiver: SubscriptionReceiver;
  #active: ActiveSubscription | undefined;
  #circuit: SubscriptionCircuit | undefined;
  #paused = false;
  #concurrency: number;
  /** Undefined: its keys run one message at a time, or share transactions. */
  readonly #keyLimit: KeyLimit | undefined;

  constructor(
    readonly planned: PlannedSubscription,
    private readonly parts: ReceiverParts & {
      readonly circuits: CircuitDirectory;
      readonly controls: FollowedControls;
      readonly pace: (planned: PlannedSubscription) => Pace | undefined;
    },
  ) {
    this.#concurrency = planned.subscription.concurrency;
    const { ordered, batching } = planned.subscription;
    if (!ordered && !batching) this.#keyLimit = new KeyLimit(planned.keyConcurrency ?? Infinity);
    this.#receiver = new SubscriptionReceiver(planned, parts);
  }

  /** Rejects with CapabilityError when the transport cannot do what the handlers ask. */
  async start(transport: Transport): Promise<void> {
    const { subscription, circuit } = this.planned;
    const { clock, logger, circuits, controls } = this.parts;
    const pace = this.parts.pace(this.planned);
    this.#paused = Boolean(controls.of(subscription)?.paused);
    this.#limitKeys();
    const active = await transport.subscribe(
      {
        ...subscription,
        ...(this.#paused && { paused: true }),
        ...(this.#keyLimit && { keyLimit: this.#keyLimit }),
        ...(pace && { pace }),
      },
      this.#receiver.receive,
    );
    this.#active = active;
    this.obey();
    if (!circuit) return;
    const unlessPaused = {
      pause: () => active.pause(),
      resume: () => (this.#paused ? undefined : active.resume()),
      admitOne: () => (this.#paused ? undefined : active.admitOne()),
    };
    this.#circuit = new SubscriptionCircuit(circuit, unlessPaused, clock, logger, this.#name);
    circuits.add(subscription, this.#circuit);
  }

  /** Its name while its circuit is open. */
  get openCircuit(): string | undefined {
    return this.#circuit?.open ? this.#name : undefined;
  }

  get #name(): string {
    return `${this.planned.subscription.group} on ${this.planned.subscription.topic}`;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Does what operators decided of it, as far as it is not done. */
  obey(): void {
    if (!this.#active) return; // its start does
    const { subscription, share = Infinity } = this.planned;
    const control = this.parts.controls.of(subscription);
    const concurrency = Math.min(share, control?.concurrency?.value ?? subscription.concurrency);
    this.#limitKeys();
    if (control?.paused) this.pause();
    else if (this.#paused) this.resume();
    if (concurrency === this.#concurrency) return;
    this.#concurrency = concurrency;
    this.setConcurrency(concurrency);
  }

  #limitKeys(): void {
    const decided = this.parts.controls.of(this.planned.subscription)?.keyConcurrency?.value;
    const value = decided ?? this.planned.keyConcurrency ?? Infinity;
    if (this.#keyLimit && this.#keyLimit.value !== value) this.#keyLimit.set(value);
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
