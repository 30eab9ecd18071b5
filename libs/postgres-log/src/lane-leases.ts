import { asError, type Clock, LANES, type Store, TidingsError, type TidingsLogger } from '@tidings/core';
import { type HeldLane, laneId } from './held-lane';
import { acquireCursors, type CursorRow } from './sql/acquire-cursors';
import { leaveMember } from './sql/leave-member';
import { releaseCursors } from './sql/release-cursors';
import { renewCursors } from './sql/renew-cursors';
import type { ReaderAnswer } from './watched';

export interface LaneLeasesOptions {
  readonly store: Store;
  /** Processes of one name share the lanes evenly. */
  readonly name: string;
  readonly owner: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  readonly onAcquired: (lanes: readonly HeldLane[]) => void;
  /** Lanes changed hands: tell the other members. */
  readonly onReleased: () => void;
}

/**
 * The lanes that this process owns. A lease is a row's time by the database's clock plus an epoch: whoever takes a lane over raises the epoch, and
 * every later write of the former owner misses its row. So a process that was stopped for longer than its lease may still *send* what it had in
 * hand (an inbox absorbs that: ADR 6), but can never move the cursor.
 */
export class LaneLeases {
  readonly held = new Map<string, HeldLane>();
  readonly #readers = new Map<number, number>();
  /** A reader was added that the last look did not ask about. */
  #grown = false;

  constructor(private readonly options: LaneLeasesOptions) {}

  add(reader: number, destination: number): void {
    this.#readers.set(reader, destination);
    this.#grown = true;
  }

  get readers(): number[] {
    return [...this.#readers.keys()];
  }

  /** Lanes whose lease is to be renewed: those that did not move for a third of it. */
  due(olderThanMs = this.options.leaseMs / 3): HeldLane[] {
    const now = this.options.clock.monotonic();
    return [...this.held.values()].filter((lane) => now - lane.leasedAt >= olderThanMs);
  }

  /** `due` was renewed, as far as it is still ours; drops what is lost. */
  renewed(due: readonly HeldLane[], kept: ReadonlyMap<string, string>, asked: number): void {
    for (const lane of due) {
      const tid = kept.get(laneId(lane.reader, lane.lane));
      if (tid === undefined) this.lose(lane);
      else Object.assign(lane, { tid, leasedAt: asked });
    }
  }

  /** Takes what is free up to this process's share, gives back what is above. Resolves with when to look again at the latest. */
  async share({ members, nextMs, free }: Pick<ReaderAnswer, 'members' | 'nextMs' | 'free'>): Promise<number> {
    const { leaseMs } = this.options;
    const share = Math.ceil((this.#readers.size * LANES) / members);
    if (this.held.size > share) await this.#giveBack(this.held.size - share);
    else if (this.held.size < share && (free || this.#grown)) {
      this.#grown = false;
      await this.#acquire(share - this.held.size);
    }
    const expiring = nextMs === null ? leaseMs : nextMs + 10;
    return Math.min(leaseMs / 2.5, Math.max(50, expiring)); // twice within a lease, as thirds would do with their jitter
  }

  /** False when the lane is not ours any more. Asks the database first when the lease may have run out: after a pause, ask before speaking. */
  async confirm(lane: HeldLane): Promise<boolean> {
    const { leaseMs, clock } = this.options;
    if (clock.monotonic() - lane.leasedAt > leaseMs * 0.9) await this.#renew(leaseMs * 0.9);
    return this.owns(lane);
  }

  owns(lane: HeldLane): boolean {
    return this.held.get(laneId(lane.reader, lane.lane)) === lane;
  }

  lose(lane: HeldLane): void {
    if (!this.owns(lane)) return;
    this.held.delete(laneId(lane.reader, lane.lane));
    this.options.logger.warn(
      { reader: lane.reader, lane: lane.lane, epoch: lane.epoch },
      'a lane was taken over by another process',
    );
  }

  /** Hands a lane back that was asked to leave and is idle now. */
  async release(lanes: readonly HeldLane[]): Promise<void> {
    const ours = lanes.filter((lane) => this.owns(lane));
    if (ours.length === 0) return;
    for (const lane of ours) this.held.delete(laneId(lane.reader, lane.lane));
    await releaseCursors(this.options.store, ours);
    this.options.onReleased();
  }

  /** Hands everything back. The store may be away: then the leases run out by themselves. */
  async leave(): Promise<void> {
    const { store, name, owner, logger } = this.options;
    try {
      await leaveMember(store, name, owner);
      await this.release([...this.held.values()]);
    } catch (thrown) {
      logger.warn({ err: asError(thrown) }, 'lanes could not be handed back; their leases run out by themselves');
    }
    this.held.clear();
  }

  async #renew(olderThanMs: number): Promise<void> {
    const { store, leaseMs, clock } = this.options;
    const asked = clock.monotonic();
    const due = this.due(olderThanMs);
    if (due.length === 0) return;
    const rows = await renewCursors(store, due, leaseMs);
    this.renewed(due, new Map(rows.map((row) => [laneId(row.reader, row.lane), row.tid])), asked);
  }

  async #acquire(limit: number): Promise<void> {
    const { store, owner, leaseMs, clock, onAcquired } = this.options;
    const asked = clock.monotonic();
    const rows = await acquireCursors(store, [...this.#readers.keys()], owner, leaseMs, limit);
    const lanes = rows.map((row) => this.#heldOf(row, asked));
    for (const lane of lanes) this.held.set(laneId(lane.reader, lane.lane), lane);
    if (lanes.length > 0) onAcquired(lanes);
  }

  #heldOf(row: CursorRow, leasedAt: number): HeldLane {
    if (!row.usable) {
      throw new TidingsError(
        'TIDINGS_LOG_RESTORED',
        `reader ${row.reader}, lane ${row.lane}: its cursor is ahead of this cluster's transactions; ` +
          'was the database restored into another cluster? Reset the cursors (docs/operations.md) before starting',
      );
    }
    return {
      reader: row.reader,
      lane: row.lane,
      destination: this.#readers.get(row.reader)!,
      epoch: Number(row.epoch),
      incarnation: row.incarnation,
      epochStart: Number(row.epoch_start),
      tid: row.tid,
      leasedAt,
      at: { snap: row.snap, target: row.target, progress: row.progress, high: row.high, count: Number(row.count) },
      suspect: row.expired,
      busy: undefined,
      dirty: true,
      leaving: false,
    };
  }

  async #giveBack(surplus: number): Promise<void> {
    const leaving = [...this.held.values()].filter((lane) => lane.leaving).length;
    const candidates = [...this.held.values()].filter((lane) => !lane.leaving).slice(0, Math.max(0, surplus - leaving));
    for (const lane of candidates) lane.leaving = true;
    await this.release([...this.held.values()].filter((lane) => lane.leaving && !lane.busy));
  }
}
