import { asError, OptionsError } from '../errors';
import type { Delivery } from '../message/message';
import type { Clock } from '../scheduling/clock';
import { attemptsIn, PARK_RETRY_MS, release, retry, type Settlement } from '../transport/settlement';
import type { BatchLimits, Receive, Subscription } from '../transport/subscriber';
import { DeliveryBatch } from './delivery-batch';
import { DeliveryTurn, goesAlone } from './delivery-turn';
import { DueTurns } from './due-turns';
import { PaceGate } from './pace-gate';
import { publishedPriority } from './published-priority';
import { KeyLane, type LaneEntry } from './key-lane';
import { KeyPlaces } from './key-places';

/** For what a receiver must not do: reject, or release without a stop. At once would be a hot loop, never would be a lost message. */
const UNEXPECTED_RETRY_MS = 1_000;

/**
 * Runs the deliveries of one subscription in one process: at most `concurrency` at once and, where the subscription is ordered, those of one
 * key one after the other. Every transport hands its deliveries to this class and gets back what it must settle natively.
 *
 * An ordered key blocks: its head is tried again here, in place, after its delay, while its followers wait and other keys go on; so for an
 * ordered, keyed delivery `run` answers only `accept`, `reject` or `release`. A head is released only when these lanes stop, and its followers
 * with it, unhandled, else the next consumer could meet them first.
 *
 * Messages of a type with `batching` take one place together. A batch begins when a place is free: under load the next one fills while one runs,
 * and a lone message waits for nobody unless `waitMs` says so. Followers of a key go into the batch in which their head waits. A member that must
 * come again holds back those behind it. What failed before goes alone, and so does what the transport delivered before: it may have ended its process.
 */
export class DeliveryLanes {
  readonly #lanes = new Map<string, KeyLane>();
  readonly #inFlight = new Set<Promise<Settlement>>();
  /** Turns that wait for a place. */
  readonly #due = new DueTurns();
  readonly #pace: PaceGate;
  readonly #keys: KeyPlaces;
  /** By type: the batch that is not due yet, or not full. */
  readonly #filling = new Map<string, DeliveryTurn>();
  // A controller each: Node warns of a leak when an eleventh listener joins one signal, and handlers add theirs.
  readonly #handlers = new Set<AbortController>();
  readonly #delays = new Set<AbortController>();
  #stopping = false;
  #taken = 0;
  #busy = 0;
  #concurrency: number;
  #paused: boolean;
  /** How many turns may begin although these lanes are paused. */
  #admitted = 0;

  constructor(
    private readonly subscription: Pick<
      Subscription,
      'ordered' | 'concurrency' | 'keyLimit' | 'paused' | 'batching' | 'priority' | 'pace'
    >,
    private readonly receive: Receive,
    private readonly clock: Clock,
  ) {
    this.#concurrency = subscription.concurrency;
    this.#paused = subscription.paused ?? false;
    this.#pace = new PaceGate(subscription.pace, () => this.#pump());
    this.#keys = new KeyPlaces(subscription.keyLimit, (entry) => void this.#offer(entry));
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
    let settle!: (settlement: Settlement) => void;
    const settled = new Promise<Settlement>((resolve) => (settle = resolve));
    this.#inFlight.add(settled);
    void settled.then(() => this.#inFlight.delete(settled));
    const { key } = delivery.message;
    const lane = this.subscription.ordered && key !== null ? this.#laneOf(key) : undefined;
    const number = ++this.#taken;
    const entry: LaneEntry = { delivery, number, afterMs: 0, suspect: delivery.redelivered, lane, settled, settle };
    if (!lane) this.#keys.enter(entry);
    else {
      lane.waiting.push(entry);
      this.#advance(lane);
    }
    return settled;
  }

  /**
   * How many may run at once from now on, 1 or more. Those that run stay: after lowering it, places go as they end. The subscription's own number is
   * where it begins. With batching the places become more or fewer in proportion, and one at least.
   */
  setConcurrency(concurrency: number): void {
    if (!Number.isInteger(concurrency) || concurrency < 1)
      throw new OptionsError('concurrency', `must be a whole number from 1, found ${concurrency}`);
    this.#concurrency = concurrency;
    this.#pump();
  }

  /** Begins no further delivery until `resume`; those that run go on. What is taken meanwhile waits, unsettled, in its order. Safe twice. */
  pause(): void {
    this.#paused = true;
    this.#admitted = 0;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** While paused: lets one delivery or batch begin, the one that waits longest or the next that comes. A probe whether what failed is mended. */
  admitOne(): void {
    this.#admitted = 1;
    this.#pump();
  }

  /**
   * Begins no further delivery, waits up to `drainMs` for those that run, then aborts their signal and releases them. Safe twice and
   * concurrently; the shorter drain time wins.
   */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    this.#keys.stop();
    for (const turn of this.#filling.values()) this.#makeDue(turn);
    this.#pump();
    this.#pace.stop();
    for (const delay of this.#delays) delay.abort();
    const drained = new AbortController();
    const all = Promise.all(this.#inFlight).then(() => drained.abort());
    await this.clock.wait(drainMs, drained.signal);
    for (const running of this.#handlers) running.abort();
    await all;
  }

  #laneOf(key: string): KeyLane {
    let lane = this.#lanes.get(key);
    if (!lane) this.#lanes.set(key, (lane = new KeyLane(key)));
    return lane;
  }

  /** Hands on whatever of the key may go. */
  #advance(lane: KeyLane): void {
    for (let entry = lane.take(); entry; entry = lane.take()) lane.turn = this.#offer(entry);
    if (lane.idle && this.#lanes.get(lane.key) === lane) this.#lanes.delete(lane.key);
  }

  #offer(entry: LaneEntry): DeliveryTurn {
    const turn = this.#turnFor(entry);
    turn.entries.push(entry);
    this.#rank(turn, entry.delivery);
    if (turn.full || this.#stopping) {
      this.#makeDue(turn);
      this.#pump();
    }
    return turn;
  }

  #turnFor(entry: LaneEntry): DeliveryTurn {
    const { type } = entry.delivery.message;
    const limits = goesAlone(entry) ? undefined : this.subscription.batching?.byType.get(type);
    if (!limits) return new DeliveryTurn();
    let turn = this.#filling.get(type);
    if (!turn) {
      this.#filling.set(type, (turn = new DeliveryTurn(limits, type)));
      void this.#dueLater(turn, limits);
    }
    return turn;
  }

  /** Without a wait: at the end of this turn of the event loop, in which the rest of what a socket brought is handed over too. */
  async #dueLater(turn: DeliveryTurn, { waitMs }: BatchLimits): Promise<void> {
    if (waitMs > 0) await this.#wait(waitMs);
    else await new Promise<void>((resolve) => setImmediate(resolve));
    this.#makeDue(turn);
    this.#pump();
  }

  /** A batch takes more until it is full or begins. */
  #makeDue(turn: DeliveryTurn): void {
    if (!turn.due) this.#due.push(turn);
    turn.due = true;
    if (turn.type !== undefined && turn.full && this.#filling.get(turn.type) === turn) this.#filling.delete(turn.type);
  }

  /** Fills the free places. When these lanes stop, places no longer matter: nothing begins any more. */
  #pump(): void {
    for (let next = this.#due.first; next && (this.#stopping || this.#mayBegin(next)); next = this.#due.first) {
      this.#busy += 1;
      if (this.#paused) this.#admitted -= 1;
      void this.#begin(this.#due.shift()!);
    }
  }

  #mayBegin(turn: DeliveryTurn): boolean {
    return this.#busy < this.#places && (!this.#paused || this.#admitted > 0) && this.#pace.grants(turn.entries.length);
  }

  /** Among keys only: of an ordered key there is never more than its head in a turn that others wait behind. */
  #rank(turn: DeliveryTurn, { message }: Delivery): void {
    const raise = (priority: number): void => {
      if (!(priority > turn.priority)) return;
      turn.priority = priority;
      this.#due.rank();
    };
    const { priority = publishedPriority } = this.subscription;
    const answer = priority(message);
    if (typeof answer === 'number') raise(answer);
    else void answer.then(raise, () => undefined);
  }

  get #places(): number {
    const { batching, concurrency } = this.subscription;
    if (!batching) return this.#concurrency;
    return Math.max(1, Math.floor((this.#concurrency * batching.places) / concurrency));
  }

  async #begin(turn: DeliveryTurn): Promise<void> {
    turn.begun = true;
    if (turn.type !== undefined && this.#filling.get(turn.type) === turn) this.#filling.delete(turn.type);
    const { entries, limits } = turn;
    const batch = limits && new DeliveryBatch(entries.map(({ delivery }) => delivery.message));
    // All begin in this turn of the event loop; the first failure of many must not keep the others from theirs, so none of them rejects.
    await Promise.all(entries.map((entry) => this.#answer(entry, batch)));
    this.#busy -= 1;
    this.#pump();
  }

  async #answer(entry: LaneEntry, batch: DeliveryBatch | undefined): Promise<void> {
    const { delivery, lane } = entry;
    const settlement = this.#stopping ? release : await this.#receiveOrCut(batch ? { ...delivery, batch } : delivery);
    const comesAgain = settlement.kind === 'retry' || settlement.kind === 'park';
    batch?.leave(delivery, !comesAgain && settlement.kind !== 'release');
    if (!lane) {
      entry.settle(settlement);
      return this.#keys.leave(entry);
    }
    if (comesAgain && !this.#stopping) lane.comeAgain(nextAttempt(entry, settlement));
    else {
      entry.settle(comesAgain ? release : settlement);
      await entry.settled; // the transport hears of it before a follower begins
    }
    if (lane.answered()) void this.#goOn(lane);
  }

  /** All that the key had in its turn is answered. While its head waits for its next attempt it holds no place: other keys go on. */
  async #goOn(lane: KeyLane): Promise<void> {
    const delayMs = lane.restore();
    if (delayMs !== undefined) {
      lane.resting = true;
      await this.#wait(delayMs);
      lane.resting = false;
    }
    this.#advance(lane);
  }

  /** Cut short by the stop. */
  async #wait(ms: number): Promise<void> {
    if (this.#stopping) return;
    const waiting = new AbortController();
    this.#delays.add(waiting);
    await this.clock.wait(ms, waiting.signal);
    this.#delays.delete(waiting);
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

function nextAttempt(entry: LaneEntry, settlement: Settlement): LaneEntry {
  const again = settlement.kind === 'retry' ? settlement : { afterMs: PARK_RETRY_MS, counted: false };
  const { delivery } = entry;
  return {
    ...entry,
    afterMs: again.afterMs,
    delivery: { ...delivery, redelivered: true, attempt: delivery.attempt + attemptsIn(again) },
  };
}
