import type { Delivery } from '../message/message';
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

  /** One that has failed before goes alone: it would drag the others through its failure once more. */
  takes({ message, attempt }: Delivery): boolean {
    return !this.begun && !this.full && message.type === this.type && attempt === 1;
  }
}
