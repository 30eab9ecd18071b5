import { TidingsError } from '../errors';
import type { PublishFailure } from '../transport/publisher';

/** No reply came in time. It says nothing about whether the request was handled, or will be. */
export class RequestTimeoutError extends TidingsError {
  constructor(
    readonly type: string,
    readonly timeoutMs: number,
  ) {
    super(
      'TIDINGS_REQUEST_TIMEOUT',
      `request ${type}: expected a reply within ${timeoutMs} ms, found none; the responder is slow, dead or stopped, and may have handled it all the ` +
        'same. Ask again only what may be handled twice, or raise timeoutMs',
    );
  }
}

/** The transport could tell at once that no responder takes this request: none has ever subscribed. */
export class NoResponderError extends TidingsError {
  constructor(
    readonly type: string,
    cause: Error,
  ) {
    super(
      'TIDINGS_NO_RESPONDER',
      `request ${type}: expected a responder, found none (${cause.message}); start an application with @OnRequest for it`,
      { cause },
    );
  }
}

/** The broker did not take the request. With `transient` it may have arrived all the same: the answer was lost, not the request. */
export class RequestNotSentError extends TidingsError {
  constructor(
    readonly type: string,
    readonly reason: PublishFailure,
    cause: Error,
  ) {
    super('TIDINGS_REQUEST_NOT_SENT', `request ${type}: not sent (${reason}): ${cause.message}`, { cause });
  }
}

/** What a failed responder tells the requester. */
export interface ResponderFailure {
  /** The class of the error there, as `ContractError`. */
  readonly name: string;
  /** The error's `code` there, when it has one that is text: what a caller may compare. */
  readonly code?: string | undefined;
  readonly message: string;
}

/** The responder failed, rolled back what it did, and said why. */
export class ResponderError extends TidingsError {
  constructor(
    readonly type: string,
    readonly failure: ResponderFailure,
  ) {
    super('TIDINGS_RESPONDER', `request ${type}: its responder failed: ${failure.name}: ${failure.message}`);
  }
}
