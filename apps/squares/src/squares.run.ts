import { systemClock, TidingsError } from '@tidings/core';
import { ForkedMember } from './forked.member';
import { LocalMember } from './local.member';
import type { Departure, Member, MemberOrders, Role } from './member';
import type { SquaresOptions } from './squares.options';
import type { SquaresPlace } from './squares.place';
import { judge, type SquaresVerdict } from './squares.verdict';

export interface SquaresReport extends SquaresVerdict {
  readonly sumOfSquares: string;
  readonly members: number;
  /** Those that left by the broadcast. */
  readonly left: number;
}

/** One run: everybody is there before the first number is drawn; then all of them must leave by themselves. */
export class SquaresRun {
  readonly #members: readonly Member[];

  constructor(
    private readonly options: SquaresOptions,
    place: SquaresPlace,
    /** Aborted by Ctrl-C: everybody is ended at once. */
    private readonly signal: AbortSignal,
  ) {
    const { count } = options;
    const squarers = Array.from({ length: options.squarers }, (_, n) => ['squarer', `squarer-${n}`] as const);
    const cast: readonly (readonly [Role, string])[] = [['summer', 'summer'], ...squarers, ['producer', 'producer']];
    this.#members = cast.map(([role, name]) => {
      const orders: MemberOrders<SquaresPlace> = { name, role, count, place };
      return place.kind === 'memory' ? new LocalMember(orders) : new ForkedMember(orders);
    });
  }

  /** Rejects when a member does not start or the numbers cannot be published; nobody is left behind either way. */
  async run(): Promise<SquaresReport> {
    const done = new AbortController();
    const givenUp = AbortSignal.any([this.signal, done.signal]);
    let late = false;
    void systemClock.wait(this.options.withinMs, givenUp).then(() => {
      late = !givenUp.aborted;
      this.#kill();
    });
    try {
      await Promise.all(this.#members.map((member) => member.start()));
      const sumOfSquares = await this.#members.at(-1)!.draw();
      const departures = new Map<string, Departure>();
      await Promise.all(this.#members.map(async ({ name, left }) => departures.set(name, await left)));
      const verdict = judge(sumOfSquares, departures);
      const left = [...departures.values()].filter(({ heard }) => heard !== undefined).length;
      return { ...verdict, sumOfSquares, members: this.#members.length, left };
    } catch (cause) {
      if (!late) throw cause;
      const message = `expected everybody to have left within ${this.options.withinMs} ms, found them at work; raise --within`;
      throw new TidingsError('SQUARES_LATE', message, { cause });
    } finally {
      done.abort();
      this.#kill();
      await Promise.all(this.#members.map(({ left }) => left));
    }
  }

  #kill(): void {
    this.#members.forEach((member) => member.kill());
  }
}
