import { type PublishFailure, TidingsError } from '@tidings/core';

/** The application is put together wrongly: an unknown name, an ambiguous choice, a handler twice. Found at boot; nothing has been started. */
export class MessagingConfigurationError extends TidingsError {
  constructor(
    /** What is wrong, as `RankGift.rank` or `route "gift.*"`. */
    readonly subject: string,
    readonly problem: string,
  ) {
    super('TIDINGS_CONFIGURATION', `${subject}: ${problem}`);
  }
}

/** One message that a transport did not confirm. */
export interface UnconfirmedMessage {
  readonly messageId: string;
  readonly type: string;
  readonly transport: string;
  readonly topic: string;
  readonly reason: PublishFailure;
  readonly error: Error;
}

/**
 * A direct publish was not confirmed. `transient` and `unroutable` may succeed later, with the same id; `too-large` and `refused` will not. Of
 * several messages only those in `unconfirmed` failed; the others are out.
 */
export class PublishFailedError extends TidingsError {
  readonly reason: PublishFailure;
  readonly messageId: string;

  constructor(readonly unconfirmed: readonly [UnconfirmedMessage, ...UnconfirmedMessage[]]) {
    const [first, ...more] = unconfirmed;
    const others = more.length > 0 ? `, and ${more.length} more` : '';
    super(
      'TIDINGS_PUBLISH_FAILED',
      `message ${first.messageId} (${first.type}): expected ${first.transport}/${first.topic} to confirm it, found ${first.reason}: ` +
        `${first.error.message}${others}; ${WAY_OUT[first.reason]}`,
      { cause: first.error },
    );
    this.reason = first.reason;
    this.messageId = first.messageId;
  }
}

const WAY_OUT: Readonly<Record<PublishFailure, string>> = {
  transient: 'publish it again with the same id, or through the outbox, which does so by itself',
  unroutable: "start a subscriber first, or publish with { route: 'optional' } when nobody need hear it",
  'too-large': 'send less, or a reference to the content',
  refused: 'publishing the same message again will be refused again',
};

/** `main, logs`, for messages that must say what exists. */
export const namesOf = (names: Iterable<string>): string => [...names].join(', ') || 'none';
