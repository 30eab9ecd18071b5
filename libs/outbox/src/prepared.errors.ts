import { TidingsError } from '@tidings/core';
import type { PreparedStatus } from './prepared-row';

const WAYS: Readonly<Record<PreparedStatus, string>> = {
  undecided: 'decide it again',
  committed: 'it has left: publish a message that takes it back',
  'rolled-back': 'it never leaves: publish it anew if it should',
  'dead-lettered': 'nobody could decide it in time: redrive or discard its dead letter',
};

/** A prepared message was to be decided in one way and is decided in another. Nothing was changed. */
export class PreparedDecisionError extends TidingsError {
  constructor(
    readonly messageId: string,
    readonly wanted: 'committed' | 'rolled-back',
    /** Undefined: it was never prepared here, or decided longer ago than `checkBack.retentionMs`. */
    readonly found: PreparedStatus | undefined,
  ) {
    super(
      'TIDINGS_PREPARED_DECISION',
      `prepared message ${messageId}: to be ${wanted}, found ${found ?? 'no such message'}; ` +
        (found ? WAYS[found] : 'check its id and source; what was decided long ago is forgotten'),
    );
  }
}

/** A message was to be held by its broker, and cannot be. */
export class HeldByBrokerError extends TidingsError {
  constructor(
    readonly type: string,
    expectation: string,
  ) {
    super(
      'TIDINGS_HELD_BY_BROKER',
      `${type}, heldBy 'broker': expected ${expectation}; or leave heldBy out: the store holds it`,
    );
  }
}

/** A message of this source and id was prepared before. Nothing was changed. */
export class AlreadyPreparedError extends TidingsError {
  constructor(
    readonly source: string,
    readonly messageId: string,
  ) {
    super(
      'TIDINGS_ALREADY_PREPARED',
      `message ${messageId} of ${source}: prepared before; decide that one by its id, or prepare with another id`,
    );
  }
}
