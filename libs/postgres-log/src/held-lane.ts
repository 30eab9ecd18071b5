import type { Position } from './position';

/** A lane of a reader, as SQL names it. */
export interface Held {
  readonly reader: number;
  readonly lane: number;
  readonly epoch: number;
  /** The server's when the lane was taken: `at` means nothing in another one (create-incarnation.ts). */
  readonly incarnation: string;
}

/** A lane whose lease this process holds. */
export interface HeldLane extends Held {
  readonly destination: number;
  /** The first sequence of this epoch. */
  readonly epochStart: number;
  /** The cursor row's place, known from the last statement that wrote it. */
  tid: string;
  /** This process's monotonic clock when the last renewal was *asked*: the lease is at least `leaseMs` from then. */
  leasedAt: number;
  at: Position;
  /** The next batch may have been handed on already, by a former owner or by this one. */
  suspect: boolean;
  /** Set while a batch of it is under way: such a lane is not swept. */
  busy: Promise<void> | undefined;
  /** Something may have been published since the last sweep. */
  dirty: boolean;
  /** To be handed back as soon as it is not busy. */
  leaving: boolean;
}

export const laneId = (reader: number, lane: number): string => `${reader}/${lane}`;
