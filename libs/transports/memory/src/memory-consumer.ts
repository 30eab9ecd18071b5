import {
  type ActiveSubscription,
  attemptsIn,
  type Clock,
  type Delivery,
  DeliveryLanes,
  type Message,
  PARK_RETRY_MS,
  type Receive,
  type Settlement,
  type Subscription,
} from '@tidings/core';
import { copyOf } from './copy';
import type { Entry, MemoryQueue } from './memory-queue';

/** What the broker does with a settlement that needs more than the queue. */
export interface SettlementDesk {
  bury(entry: Entry, reason: string): void;
  later(afterMs: number, run: () => void): void;
}

interface Held {
  readonly entry: Entry;
  /** The attempt that a handler began last; undefined before the first. */
  attempt?: number;
  /** An ordered head between two attempts: it holds its key but does no work. */
  backingOff: boolean;
}

/** Deliveries held at most while some of them wait for a place of their key. */
const HELD_FOR_KEYS = 100;

/** One connection's worth of deliveries. After a cut the consumer starts a new one, and whatever the old one still answers is void. */
interface Line {
  readonly lanes: DeliveryLanes;
  readonly held: Map<Message, Held>;
  broken: boolean;
}

/** One consumer of a queue. Connected (has a line) → cut (has none) → connected …, until stopped. */
export class MemoryConsumer implements ActiveSubscription {
  #line: Line | undefined;
  #stopping: Promise<void> | undefined;
  #concurrency: number;
  #paused = false;

  constructor(
    readonly subscription: Subscription,
    private readonly receive: Receive,
    private readonly queue: MemoryQueue,
    private readonly desk: SettlementDesk,
    private readonly settings: { readonly clock: Clock; readonly delay: boolean; readonly countDied: boolean },
    private readonly onStopped: () => void,
  ) {
    this.#concurrency = subscription.concurrency;
  }

  healthy(): boolean {
    return this.#line !== undefined && !this.#stopping;
  }

  /** Ignored when it has stopped. */
  connect(): void {
    if (this.#stopping || this.#line) return;
    const receive: Receive = (delivery, signal) => this.#attempt(line, delivery, signal);
    const lanes = new DeliveryLanes(this.subscription, receive, this.settings.clock);
    lanes.setConcurrency(this.#concurrency);
    if (this.#paused) lanes.pause();
    const line: Line = { lanes, held: new Map(), broken: false };
    this.#line = line;
    this.queue.join(this);
  }

  /** The line breaks: what it held goes back to the group, its handlers are signalled, and their answers reach nobody. */
  cut(): void {
    const line = this.#line;
    if (!line) return;
    line.broken = true;
    this.#line = undefined;
    this.queue.leave(this);
    for (const { entry, attempt } of line.held.values()) {
      if (attempt !== undefined && this.settings.countDied) entry.attempts = attempt;
      this.queue.giveBack(entry);
    }
    void line.lanes.stop(0);
  }

  /** It holds no more of the queue than it may handle at once, so others may have what it does not begin. */
  pause(): void {
    this.#paused = true;
    this.#line?.lanes.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#line?.lanes.resume();
    this.queue.deal();
  }

  admitOne(): void {
    this.#line?.lanes.admitOne();
  }

  setConcurrency(concurrency: number): void {
    this.#line?.lanes.setConcurrency(concurrency);
    this.#concurrency = concurrency;
    this.queue.deal();
  }

  stop(drainMs: number): Promise<void> {
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  wantsMore(): boolean {
    if (!this.#line) return false;
    let busy = 0;
    const { value = Infinity } = this.subscription.keyLimit ?? {};
    // What waits for its key's place must not keep other keys from theirs.
    if (value !== Infinity && this.#line.held.size >= HELD_FOR_KEYS) return false;
    for (const { backingOff, attempt } of this.#line.held.values())
      busy += backingOff || (value !== Infinity && attempt === undefined) ? 0 : 1;
    return busy < this.#concurrency;
  }

  take(entry: Entry): void {
    const line = this.#line!;
    const message = copyOf(entry.message);
    line.held.set(message, { entry, backingOff: false });
    const { stamp, attempts, redelivered } = entry;
    void line.lanes.run({ message, attempt: attempts + 1, redelivered, ...(stamp && { stamp }) }).then((settlement) => {
      if (line.broken) return;
      line.held.delete(message);
      this.#settle(entry, settlement);
      this.queue.deal();
    });
  }

  async #stop(drainMs: number): Promise<void> {
    this.queue.leave(this);
    await this.#line?.lanes.stop(drainMs);
    this.#line = undefined;
    this.onStopped();
  }

  async #attempt(line: Line, delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const held = line.held.get(delivery.message)!;
    held.backingOff = false;
    held.attempt = delivery.attempt;
    held.entry.redelivered = true;
    held.entry.attempts = delivery.attempt - 1; // lanes count in-place retries by themselves; the group must know when this consumer goes
    const settlement = await this.receive(delivery, signal);
    if (line.broken) return settlement; // the entry is somebody else's by now
    if (settlement.kind === 'retry' || settlement.kind === 'park') {
      held.backingOff = this.subscription.ordered && delivery.message.key !== null;
      if (settlement.kind === 'retry') held.entry.attempts = delivery.attempt - 1 + attemptsIn(settlement);
      if (held.backingOff) this.queue.deal();
    }
    return settlement;
  }

  #settle(entry: Entry, settlement: Settlement): void {
    switch (settlement.kind) {
      case 'accept':
        return this.queue.remove(entry);
      case 'reject':
        this.desk.bury(entry, settlement.reason);
        return this.queue.remove(entry);
      case 'retry':
        return this.#later(settlement.afterMs, entry);
      case 'park':
        return this.#later(PARK_RETRY_MS, entry);
      case 'release':
        return this.queue.giveBack(entry);
    }
  }

  /** Without the capability `delay` the message comes again at once, as on a broker that can only requeue. */
  #later(afterMs: number, entry: Entry): void {
    if (afterMs > 0 && this.settings.delay) this.desk.later(afterMs, () => this.queue.queueAgain(entry));
    else setImmediate(() => this.queue.queueAgain(entry)); // a handler that always fails must not starve the process in microtasks
  }
}
