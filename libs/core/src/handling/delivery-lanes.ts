import { asError, OptionsError } from '../errors';
import type { Delivery } from '../message/message';
import type { Clock } from '../scheduling/clock';
import { attemptsIn, PARK_RETRY_MS, release, retry, type Settlement } from '../transport/settlement';
import type { Receive, Subscription } from '../transport/subscriber';

/** For what a receiver must not do: reject, or release without a stop. At once would be a hot loop, never would be a lost message. */
const UNEXPECTED_RETRY_MS = 1_000;

/**
 * Runs the deliveries of one subscription in one process: at most `concurrency` at once and, where the subscription is ordered, those of one
 * key one after the other. Every transport hands its deliveries to this class and gets back what it must settle natively.
 *
 * An ordered key blocks: its head is tried again here, in place, after its delay, while its followers wait and other keys go on; so for an
 * ordered, keyed delivery `run` answers only `accept`, `reject` or `release`. A head is released only when these lanes stop, and its followers
 * with it, unhandled, else the next consumer could meet them first.
 */
export class DeliveryLanes {
  /** The last delivery taken of each ordered key. */
  readonly #tails = new Map<string, Promise<Settlement>>();
  readonly #inFlight = new Set<Promise<Settlement>>();
  /** Gives a place to a delivery that waits for one, the longest waiting first. */
  readonly #waiting: (() => void)[] = [];
  // A controller each: Node warns of a leak when an eleventh listener joins one signal, and handlers add theirs.
  readonly #handlers = new Set<AbortController>();
  readonly #retries = new Set<AbortController>();
  #stopping = false;
  #busy = 0;
  #concurrency: number;
  #paused = false;
  /** How many deliveries may begin although these lanes are paused. */
  #admitted = 0;

  constructor(
    private readonly subscription: Pick<Subscription, 'ordered' | 'concurrency'>,
    private readonly receive: Receive,
    private readonly clock: Clock,
  ) {
    this.#concurrency = subscription.concurrency;
  }

  /** Deliveries that may run at once. */
  get concurrency(): number {
    return this.#concurrency;
  }

  /** Deliveries taken and not yet settled. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Resolves with the settlement; never rejects. After `stop` it is `release` for whatever has not begun. */
  run(delivery: Delivery): Promise<Settlement> {
    const { key } = delivery.message;
    const settled = this.subscription.ordered && key !== null ? this.#inLane(key, delivery) : this.#inPlace(delivery);
    this.#inFlight.add(settled);
    void settled.then(() => this.#inFlight.delete(settled));
    return settled;
  }

  /**
   * How many may run at once from now on, 1 or more. Those that run stay: after lowering it, places go as they end. The subscription's own number is
   * where it begins.
   */
  setConcurrency(concurrency: number): void {
    if (!Number.isInteger(concurrency) || concurrency < 1)
      throw new OptionsError('concurrency', `must be a whole number from 1, found ${concurrency}`);
    this.#concurrency = concurrency;
    this.#letIn();
  }

  /** Begins no further delivery until `resume`; those that run go on. What is taken meanwhile waits, unsettled, in its order. Safe twice. */
  pause(): void {
    this.#paused = true;
    this.#admitted = 0;
  }

  resume(): void {
    this.#paused = false;
    this.#letIn();
  }

  /** While paused: lets one delivery begin, the one that waits longest or the next that comes. A probe whether what failed is mended. */
  admitOne(): void {
    this.#admitted = 1;
    this.#letIn();
  }

  /**
   * Begins no further delivery, waits up to `drainMs` for those that run, then aborts their signal and releases them. Safe twice and
   * concurrently; the shorter drain time wins.
   */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const wake of this.#waiting.splice(0)) wake();
    for (const waiting of this.#retries) waiting.abort();
    const drained = new AbortController();
    const all = Promise.all(this.#inFlight).then(() => drained.abort());
    await this.clock.wait(drainMs, drained.signal);
    for (const running of this.#handlers) running.abort();
    await all;
  }

  #inLane(key: string, delivery: Delivery): Promise<Settlement> {
    const before = this.#tails.get(key);
    const mine = before ? before.then(() => this.#untilSettled(delivery)) : this.#untilSettled(delivery);
    this.#tails.set(key, mine);
    void mine.then(() => {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    });
    return mine;
  }

  async #untilSettled(first: Delivery): Promise<Settlement> {
    for (let delivery = first; ;) {
      const settlement = await this.#inPlace(delivery);
      if (settlement.kind !== 'retry' && settlement.kind !== 'park') return settlement;
      const again = settlement.kind === 'park' ? { afterMs: PARK_RETRY_MS, counted: false } : settlement;
      await this.#retryAfter(again.afterMs);
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + attemptsIn(again) };
    }
  }

  /** Holds no place meanwhile: other keys go on. */
  async #retryAfter(ms: number): Promise<void> {
    if (this.#stopping) return;
    const waiting = new AbortController();
    this.#retries.add(waiting);
    await this.clock.wait(ms, waiting.signal);
    this.#retries.delete(waiting);
  }

  /** Takes one of the `concurrency` places, or waits for one. A place that gets free is handed to a waiter, so that no newcomer can take it. */
  async #inPlace(delivery: Delivery): Promise<Settlement> {
    if (this.#stopping) return release;
    if (this.#mayBegin()) this.#begin();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#stopping) return release; // places no longer matter: nothing begins any more
    try {
      return await this.#receiveOrCut(delivery);
    } finally {
      this.#busy -= 1;
      this.#letIn();
    }
  }

  #mayBegin(): boolean {
    return this.#busy < this.#concurrency && (!this.#paused || this.#admitted > 0);
  }

  #begin(): void {
    this.#busy += 1;
    if (this.#paused) this.#admitted -= 1;
  }

  #letIn(): void {
    while (this.#waiting.length > 0 && this.#mayBegin()) {
      this.#begin();
      this.#waiting.shift()?.();
    }
  }

  /** A handler that ignores its signal must not hold the stop for ever: past the drain time it is released, and its late answer is dropped. */
  async #receiveOrCut(delivery: Delivery): Promise<Settlement> {
    const running = new AbortController();
    this.#handlers.add(running);
    const cut = new Promise<Settlement>((resolve) => {
      running.signal.addEventListener('abort', () => resolve(release), { once: true });
    });
    try {
      const settlement = await Promise.race([this.receive(delivery, running.signal), cut]);
      const unasked = settlement.kind === 'release' && !this.#stopping;
      return unasked ? retry(UNEXPECTED_RETRY_MS, { counted: false }) : settlement;
    } catch (thrown) {
      return retry(UNEXPECTED_RETRY_MS, { counted: false, error: asError(thrown) });
    } finally {
      this.#handlers.delete(running);
    }
  }
}
