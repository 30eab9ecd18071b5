import type { DeadLetter, DeadLetterSink, Message, PublishFailure, Publisher } from '@tidings/core';
import type { LetterIdentity } from './letter-key';
import type { LetterStatus, LetterSummary, StoredLetter } from './stored-letter';

/** Remembers the failed attempts of messages that are tried again, so that a dead letter tells them all, whichever process made them. */
export interface FailureStory {
  /** Resolves when stored. A letter with the same identity, buried later, begins with these failures. Not idempotent: each call is told. */
  note(letter: LetterIdentity & Pick<DeadLetter, 'failures'>): Promise<void>;
  /** The message was handled after all. Idempotent. */
  forget(letter: LetterIdentity): Promise<void>;
}

export interface ListOptions {
  /** 1 to 500. Default 50. */
  readonly limit?: number;
  /** The last id of the page before. */
  readonly after?: string;
  /** Default `dead` and `redriving`: those that wait for somebody. */
  readonly status?: readonly LetterStatus[];
}

export type RedriveResult =
  /** Confirmed by the transport, in this generation. */
  | { readonly outcome: 'redriven'; readonly generation: number }
  /** Not published. The letter stays `redriving`: redrive it again, it will be the same generation. */
  | { readonly outcome: 'failed'; readonly reason: PublishFailure; readonly error: Error }
  /** Settled before, in the way that `status` says, or just now found to be handled by a late copy. Nothing was published. */
  | { readonly outcome: 'settled'; readonly status: LetterStatus }
  | { readonly outcome: 'unknown' };

/**
 * Makes sure that no late copy of the message is handled by the group any more, now that a redrive takes it over; `handled` when one was. What the
 * inbox does with `seal`; durable when it resolves, idempotent.
 */
export type SealGeneration = (
  subscription: { readonly group: string; readonly topic: string },
  message: Message,
) => Promise<'sealed' | 'handled'>;

/** Dead letters with the whole story, for people and for what they use to look at them. */
export interface DeadLetters extends DeadLetterSink, FailureStory {
  /**
   * Files a letter, with the failures noted before its own. Resolves when it is durable. Idempotent: the same message at the same place and generation
   * is filed once, also when it comes again after a crash between burial and settlement. Concurrent calls are fine.
   */
  bury(letter: DeadLetter): Promise<void>;

  /** A page of letters, oldest first. @throws OptionsError for a bad limit or `after`. */
  list(options?: ListOptions): Promise<readonly LetterSummary[]>;

  /** A letter with all that is known; undefined when there is none of that id. */
  find(id: string): Promise<StoredLetter | undefined>;

  /**
   * Sends a letter's message again: inbound to the group that gave up on it and to no other, outbound to its topic. Resolves when the transport has
   * confirmed it and the letter is marked; rejects when the store is away.
   *
   * It is published at least once and takes effect once. The generation (one higher) and the bucket (the database's date) are stored before anything
   * is published; a redrive that was cut off, or two at the same time, send that same generation, and the group's inbox lets one of them through.
   *
   * @throws RedriveError when the letter's transport is not known here.
   */
  redrive(id: string, publisherOf: (transport: string) => Publisher | undefined): Promise<RedriveResult>;
}
