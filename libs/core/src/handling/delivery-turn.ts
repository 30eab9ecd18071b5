import type { BatchLimits } from '../transport/subscriber';
import type { LaneEntry } from './key-lane';

/** What takes one place: a single delivery, or the deliveries of one batch. Filling → due → begun. */
export class DeliveryTurn {
  readonly entries: LaneEntry[] = [];
  due = false;
  /** That of its most urgent entry, as far as it is known. */
  priority = 0;
  begun = false;

  constructor(
    /** Of a batch; undefined for a single delivery. */
    readonly limits?: BatchLimits,
    readonly type?: string,
  ) {}

  get full(): boolean {
    return this.entries.length >= (this.limits?.size ?? 1);
  }

  takes(entry: LaneEntry): boolean {
    return !this.begun && !this.full && entry.delivery.message.type === this.type && !goesAlone(entry);
  }
}

/**
 * One that has failed before would drag the others through its failure once more. One that may have ended its process would be found by nobody: a crash
 * is charged to all that were in a handler, and suspects wait for each other where the members of a batch wait for all.
 */
export const goesAlone = ({ delivery: { attempt }, suspect }: LaneEntry): boolean => attempt > 1 || suspect;
