import type { Delivery } from '../message/message';
import type { Settlement } from '../transport/settlement';
import type { DeliveryTurn } from './delivery-turn';

/** A delivery on its way to its settlement. An ordered key's failed head gets an entry of a later attempt, with the same settlement to come. */
export interface LaneEntry {
  readonly delivery: Delivery;
  /** By which deliveries keep their order. */
  readonly number: number;
  /** The delay before this attempt. */
  readonly afterMs: number;
  /** The transport has delivered it before. Not true of what only comes again in these lanes, for this process lives. */
  readonly suspect: boolean;
  /** Where deliveries of its key wait; undefined for one that nobody waits for. */
  readonly lane: KeyLane | undefined;
  readonly settled: Promise<Settlement>;
  readonly settle: (settlement: Settlement) => void;
}

/** Those of one ordered key: what waits, first come first, and the turn that the ones before it are in. */
export class KeyLane {
  readonly waiting: LaneEntry[] = [];
  turn: DeliveryTurn | undefined;
  /** Its head waits out the delay before its next attempt. */
  resting = false;
  /** In the turn and not yet answered. */
  #unanswered = 0;
  #again: LaneEntry[] = [];

  constructor(readonly key: string) {}

  get idle(): boolean {
    return this.#unanswered === 0 && this.waiting.length === 0;
  }

  /** The next that may go: nobody is before it, or those before it are in a turn that has not begun and takes it too. */
  take(): LaneEntry | undefined {
    const [first] = this.waiting;
    if (!first || this.resting) return undefined;
    if (this.#unanswered > 0 && !this.turn?.takes(first)) return undefined;
    this.#unanswered += 1;
    return this.waiting.shift();
  }

  /** For the next attempt: before all that waits. */
  comeAgain(entry: LaneEntry): void {
    this.#again.push(entry);
  }

  /** True when it was the last one of the turn. */
  answered(): boolean {
    this.#unanswered -= 1;
    return this.#unanswered === 0;
  }

  /** Puts back what must come again, in its order, and tells the delay of the first; undefined when there is none. */
  restore(): number | undefined {
    if (this.#again.length === 0) return undefined;
    this.waiting.unshift(...this.#again.sort((one, other) => one.number - other.number));
    this.#again = [];
    return this.waiting[0]?.afterMs;
  }
}
