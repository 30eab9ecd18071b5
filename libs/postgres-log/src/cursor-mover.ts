import type { Clock, Store } from '@tidings/core';
import { type HeldLane, laneId } from './held-lane';
import type { Position } from './position';
import { type Move, moveCursors } from './sql/move-cursors';

/**
 * Moves the cursors of many lanes with few statements: what asks while one is on its way goes together with the next, as a group commit.
 */
export class CursorMover {
  readonly #waiting: (Move & { readonly settle: (moved: boolean) => void; readonly fail: (error: unknown) => void })[] =
    [];
  #running = false;

  constructor(
    private readonly store: Store,
    private readonly leaseMs: number,
    private readonly clock: Clock,
  ) {}

  /** Resolves with true when the cursor is moved and the lease renewed; with false when another process owns the lane. Rejects when the store is away. */
  move(lane: HeldLane, to: Position): Promise<boolean> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ lane, to, settle, fail });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // lanes that finish in the same turn go together
    while (this.#waiting.length > 0) {
      const moves = this.#waiting.splice(0);
      try {
        const missing = await this.#attempt(moves, false);
        const lost = missing.length > 0 ? await this.#attempt(missing, true) : [];
        for (const move of moves) move.settle(!lost.includes(move));
      } catch (error) {
        for (const move of moves) move.fail(error);
      }
    }
    this.#running = false;
  }

  /** The moves that met no row. */
  async #attempt<M extends Move>(moves: readonly M[], byScan: boolean): Promise<M[]> {
    const asked = this.clock.monotonic();
    const kept = new Map(
      (await moveCursors(this.store, moves, this.leaseMs, byScan)).map((row) => [
        laneId(row.reader, row.lane),
        row.tid,
      ]),
    );
    return moves.filter(({ lane, to }) => {
      const tid = kept.get(laneId(lane.reader, lane.lane));
      if (tid === undefined) return true;
      lane.tid = tid;
      lane.leasedAt = asked;
      lane.at = to;
      return false;
    });
  }
}
