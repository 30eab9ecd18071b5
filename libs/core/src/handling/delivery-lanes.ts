import type { Delivery } from '../message/message';
import type { Clock } from '../scheduling/clock';
import { PARK_RETRY_MS, release, type Settlement } from '../transport/settlement';
import type { Receive, Subscription } from '../transport/subscriber';

/**
 * Runs the deliveries of one subscription in one process: at most `concurrency` at once and, where the subscription is ordered, those of one
 * key one after the other. Every transport hands its deliveries to this class and gets back what it must settle natively.
 *
 * An ordered key blocks: its head is tried again here, in place, after its delay, while its followers wait and other keys go on; so for an
 * ordered, keyed delivery `run` answers only `accept`, `reject` or `release`. A head that is released releases its followers unhandled, else the
 * next consumer could meet them first.
 */
export class DeliveryLanes {
  readonly #tails = new Map<string, Promise<Settlement>>();
  readonly #stopping = new AbortController();
  readonly #cut = new AbortController();
  readonly #inFlight = new Set<Promise<Settlement>>();
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(
    private readonly subscription: Pick<Subscription, 'ordered' | 'concurrency'>,
    private readonly receive: Receive,
    private readonly clock: Clock,
  ) {
    this.#free = subscription.concurrency;
  }

  /** Deliveries taken and not yet settled. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Resolves with the settlement; never rejects. After `stop` it is `release` for whatever has not begun. */
  run(delivery: Delivery): Promise<Settlement> {
    const { key } = delivery.message;
    const settled = this.subscription.ordered && key !== null ? this.#inLane(key, delivery) : this.#slot(delivery);
    this.#inFlight.add(settled);
    void settled.then(() => this.#inFlight.delete(settled));
    return settled;
  }

  /** Begins no further delivery, waits up to `drainMs` for those that run, then aborts their signal and releases them. Safe twice. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping.abort();
    for (const wake of this.#waiting.splice(0)) wake();
    const drained = new AbortController();
    const all = Promise.all(this.#inFlight).then(() => drained.abort());
    await this.clock.wait(drainMs, drained.signal);
    this.#cut.abort();
    await all;
  }

  #inLane(key: string, delivery: Delivery): Promise<Settlement> {
    const before = this.#tails.get(key);
    const mine = before
      ? before.then((settlement) => (settlement.kind === 'release' ? release : this.#untilSettled(delivery)))
      : this.#untilSettled(delivery);
    this.#tails.set(key, mine);
    void mine.then((settlement) => {
      // A released tail stays: whatever of this key still arrives here must not run before the released ones.
      if (settlement.kind !== 'release' && this.#tails.get(key) === mine) this.#tails.delete(key);
    });
    return mine;
  }

  async #untilSettled(first: Delivery): Promise<Settlement> {
    for (let delivery = first; ; ) {
      const settlement = await this.#slot(delivery);
      if (settlement.kind !== 'retry' && settlement.kind !== 'park') return settlement;
      const again = settlement.kind === 'park' ? { afterMs: PARK_RETRY_MS, counted: false } : settlement;
      await this.clock.wait(again.afterMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return release;
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + (again.counted ? 1 : 0) };
    }
  }

  async #slot(delivery: Delivery): Promise<Settlement> {
    while (this.#free === 0 && !this.#stopping.signal.aborted) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#stopping.signal.aborted) return release;
    this.#free -= 1;
    try {
      return await this.#receiveOrCut(delivery);
    } finally {
      this.#free += 1;
      this.#waiting.shift()?.();
    }
  }

  /** A handler that ignores its signal must not hold the stop for ever: past the drain time it is released, and its late answer is dropped. */
  async #receiveOrCut(delivery: Delivery): Promise<Settlement> {
    const { signal } = this.#cut;
    let onCut: (() => void) | undefined;
    const cut = new Promise<Settlement>((resolve) => {
      onCut = () => resolve(release);
      signal.addEventListener('abort', onCut, { once: true });
    });
    try {
      return await Promise.race([this.receive(delivery, signal), cut]);
    } finally {
      if (onCut) signal.removeEventListener('abort', onCut);
    }
  }
}
