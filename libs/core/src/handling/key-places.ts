import type { KeyLimit } from './key-limit';
import type { LaneEntry } from './key-lane';

/** The places of each key in a subscription without order: who has one goes on to wait for a place of the subscription, the others wait here. */
export class KeyPlaces {
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, LaneEntry[]>();
  readonly #forget: (() => void) | undefined;
  #open = false;

  constructor(
    private readonly limit: KeyLimit | undefined,
    private readonly offer: (entry: LaneEntry) => void,
  ) {
    this.#forget = limit?.onChange(() => this.#refillAll());
  }

  /** Offers the entry, at once or when its key has a place. */
  enter(entry: LaneEntry): void {
    const { key } = entry.delivery.message;
    if (!this.limit || key === null) return this.offer(entry);
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.push(entry);
    else this.#waiting.set(key, [entry]);
    this.#refill(key, this.limit);
  }

  /** To be called once for each that was offered, when it is settled. */
  leave({ delivery: { message } }: LaneEntry): void {
    const { key } = message;
    if (!this.limit || key === null) return;
    const taken = this.#taken.get(key)! - 1;
    if (taken > 0) this.#taken.set(key, taken);
    else this.#taken.delete(key);
    this.#refill(key, this.limit);
  }

  /** Offers all that waits: nothing begins any more, and each must be settled. */
  stop(): void {
    this.#open = true;
    this.#refillAll();
    this.#forget?.();
  }

  #refillAll(): void {
    if (this.limit) for (const key of [...this.#waiting.keys()]) this.#refill(key, this.limit);
  }

  #refill(key: string, { value }: KeyLimit): void {
    const waiting = this.#waiting.get(key);
    while (waiting && waiting.length > 0 && (this.#open || (this.#taken.get(key) ?? 0) < value)) {
      this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
      this.offer(waiting.shift()!);
    }
    if (waiting?.length === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
  }
}
