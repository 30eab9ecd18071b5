import type { DeliveryTurn } from './delivery-turn';

/** So often the one that waits longest begins, whatever its priority: a stream of urgent messages must not starve the others for ever. */
const FAIR_EVERY = 8;

/** Turns that wait for a place: the most urgent first, of equals the one that waits longest. */
export class DueTurns {
  readonly #turns: DeliveryTurn[] = [];
  /** Somebody has ever asked for priority; until then nothing is searched. */
  #ranked = false;
  #taken = 0;

  get first(): DeliveryTurn | undefined {
    return this.#turns[this.#next];
  }

  push(turn: DeliveryTurn): void {
    this.#turns.push(turn);
  }

  rank(): void {
    this.#ranked = true;
  }

  shift(): DeliveryTurn | undefined {
    const [turn] = this.#turns.splice(this.#next, 1);
    if (this.#ranked) this.#taken += 1;
    return turn;
  }

  get #next(): number {
    if (!this.#ranked || this.#taken % FAIR_EVERY === FAIR_EVERY - 1) return 0;
    let best = 0;
    for (let at = 1; at < this.#turns.length; at++) {
      if (this.#turns[at]!.priority > this.#turns[best]!.priority) best = at;
    }
    return best;
  }
}
