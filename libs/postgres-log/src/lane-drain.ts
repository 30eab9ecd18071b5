import type { Clock, Store } from '@tidings/core';
import type { CursorMover } from './cursor-mover';
import type { HeldLane } from './held-lane';
import type { LaneLeases } from './lane-leases';
import type { Deliver, LoggedMessage } from './lane-batch';
import type { ResolvedLogReaderOptions } from './log-reader.options';
import { type LogRow, messageOfRow, stampOfRow } from './log-row';
import { closeWindow, isOpen, passed, type Position } from './position';
import { measureWindow } from './sql/measure-window';
import { readPage } from './sql/read-page';

/** Hands the window of one busy lane on and moves its cursor. Returns when the lane has nothing more that is known of, is lost, or the reader stops. */
export class LaneDrain {
  constructor(
    private readonly store: Store,
    private readonly setup: {
      readonly deliver: Deliver;
      readonly options: ResolvedLogReaderOptions;
      readonly clock: Clock;
    },
    private readonly leases: LaneLeases,
    private readonly mover: CursorMover,
    private readonly stopping: () => AbortSignal,
  ) {}

  /** A window that fits in a batch and was read with others. */
  async smallWindow(lane: HeldLane, rows: readonly LogRow[], target: string): Promise<void> {
    const high = rows.at(-1)!.seq;
    for (let left = rows, failures = 0; left.length > 0;) {
      const done = await this.#deliver(lane, left);
      if (done > 0 && !(await this.#move(lane, left, done, target, high))) return;
      failures = done > 0 ? 0 : failures + 1;
      left = left.slice(done);
      if (left.length > 0 && !(await this.#goOn(lane, failures))) return;
    }
  }

  /** A window that does not fit: measured once, then read in pages. */
  async largeWindow(lane: HeldLane): Promise<void> {
    const { target, low, high } = await measureWindow(this.store, lane);
    if (low === null || high === null) return;
    lane.at = { ...lane.at, target, progress: String(BigInt(low) - 1n), high };
    await this.rest(lane);
  }

  /** The rest of a window that is open, after a take-over or a failure inside it. */
  async rest(lane: HeldLane): Promise<void> {
    lane.dirty = true; // what is committed while the pages go by is looked for afterwards
    await this.#pages(lane);
  }

  /**
   * The open window's pages. While one is handed on, the next is read already and the cursor still moves past the one before (a move waits for a disk
   * flush, a broker need not). So a crash repeats two pages at most, and a lost lane shows one page late; the lease is asked before each.
   */
  async #pages(lane: HeldLane): Promise<void> {
    let position = lane.at;
    let moving: Promise<boolean> = Promise.resolve(true);
    let reading = this.#read(lane, position);
    for (let failures = 0; isOpen(position);) {
      const { target, high } = position;
      const rows = await reading;
      const last = rows.at(-1);
      // Every row up to `high` was seen: the window is done. (`high` itself is always read, unless a segment was lost.)
      const whole = last ? passed(position, target, last.seq, high, rows.length) : closeWindow(position, target, 0);
      reading = this.#read(lane, whole);
      const done = last ? await this.#deliver(lane, rows, position.count) : 0;
      if (!(await moving)) return this.leases.lose(lane);
      if (done > 0 || !last) {
        position = done === rows.length ? whole : passed(position, target, rows[done - 1]!.seq, high, done);
        moving = this.mover.move(lane, position);
        moving.catch(() => undefined); // met above, or below
      }
      failures = done > 0 ? 0 : failures + 1;
      if (done < rows.length) {
        reading = this.#read(lane, position);
        if (!(await this.#goOn(lane, failures))) break;
      }
      if (this.stopping().aborted || lane.leaving) break;
    }
    if (!(await moving)) this.leases.lose(lane);
  }

  /** Never rejects unheard: the page may be thrown away. */
  #read(lane: HeldLane, at: Position): Promise<LogRow[]> {
    if (!isOpen(at)) return Promise.resolve([]);
    const reading = readPage(this.store, lane, at, this.setup.options);
    reading.catch(() => undefined);
    return reading;
  }

  async #deliver(lane: HeldLane, rows: readonly LogRow[], count = lane.at.count): Promise<number> {
    if (this.stopping().aborted || !(await this.leases.confirm(lane))) return 0;
    const { suspect } = lane; // one batch at most was in the former owner's hands
    const messages = rows.map((row, index): LoggedMessage => ({
      message: messageOfRow(row),
      attempts: row.attempts,
      optional: row.optional,
      redelivered: suspect,
      relayed: stampOfRow(row),
      stamp: { sequence: count + index + 1, epoch: lane.epoch, epochStart: lane.epochStart },
    }));
    const done = await this.setup.deliver({
      destination: lane.destination,
      messages,
      stopping: this.stopping(),
      stillOurs: () => this.leases.confirm(lane),
    });
    lane.suspect = done < messages.length;
    return done;
  }

  async #move(lane: HeldLane, rows: readonly LogRow[], done: number, target: string, high: string): Promise<boolean> {
    const moved = await this.mover.move(lane, passed(lane.at, target, rows[done - 1]!.seq, high, done));
    if (!moved) this.leases.lose(lane);
    return moved;
  }

  /** Waits for the back-off; false when the lane must be left. */
  async #goOn(lane: HeldLane, failures: number): Promise<boolean> {
    const { backoffMs, maxBackoffMs } = this.setup.options;
    const stopping = this.stopping();
    if (!stopping.aborted && !lane.leaving)
      await this.setup.clock.wait(Math.min(maxBackoffMs, backoffMs * 2 ** failures), stopping);
    return !stopping.aborted && !lane.leaving && this.leases.owns(lane);
  }
}
