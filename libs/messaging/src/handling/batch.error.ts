import { asError, TidingsError } from '@tidings/core';

/**
 * Thrown by a batch handler that knows which of its messages failed. The transaction rolls back; the named messages have failed, by the cause given or
 * by this error, and go the way of their retry policy; the others run again, at once and without them.
 *
 * An id names each message of the batch that has it. Without one that is in the batch it counts as any other error: what failed is searched for.
 */
export class BatchError extends TidingsError {
  readonly failedIds: readonly string[];

  constructor(failedIds: Iterable<string>, options: ErrorOptions = {}) {
    const ids = [...failedIds];
    const cause = options.cause === undefined ? '' : `: ${asError(options.cause).message}`;
    super('TIDINGS_BATCH', `${ids.length} of a batch failed (${listed(ids)})${cause}`, options);
    this.failedIds = ids;
  }
}

const SHOWN = 10;
const listed = (ids: readonly string[]): string =>
  ids.slice(0, SHOWN).join(', ') + (ids.length > SHOWN ? `, and ${ids.length - SHOWN} more` : '');
