import { TidingsError } from '@tidings/core';

/** The recheck did not get out, so its message is not sent either: the caller's transaction is to roll back. */
export class RecheckNotSentError extends TidingsError {
  constructor(
    readonly messageId: string,
    cause: Error,
  ) {
    super(
      'TIDINGS_RECHECK_NOT_SENT',
      `message ${messageId}: expected its recheck to be confirmed before the commit, found: ${cause.message}; start the callback service once, or try again`,
      { cause },
    );
  }
}
