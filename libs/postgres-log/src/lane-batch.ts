import type { Message, Stamp } from '@tidings/core';

/** A message read from the log, with what the reader knows of its place. */
export interface LoggedMessage {
  readonly message: Message;
  readonly attempts: number;
  readonly optional: boolean;
  /** A former owner, which did not hand its lane back, may have handed it on. */
  readonly redelivered: boolean;
  /** This reader's. */
  readonly stamp: Stamp;
  /** The stamp of the relay that copied the row here from another log, if one did. */
  readonly relayed: Stamp | undefined;
}

export interface LaneBatch {
  readonly destination: number;
  readonly messages: readonly LoggedMessage[];
  /** Aborts when the reader stops: settle what is under way, begin nothing new. */
  readonly stopping: AbortSignal;
  /** For a hand-over that takes long: false when another process has taken the lane, so that nothing more of it may be sent. */
  readonly stillOurs: () => Promise<boolean>;
}

/**
 * Hands on one batch of a lane, in order. Resolves with how many of its messages, counted from the front, are done for good: the cursor moves past
 * exactly those. Fewer than all means "not now": the rest comes again after a back-off, or to the next owner. Rejects: the whole batch comes again.
 */
export type Deliver = (batch: LaneBatch) => Promise<number>;
