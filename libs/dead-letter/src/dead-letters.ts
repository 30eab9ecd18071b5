import type { DeadLetter, DeadLetterSink, Message, PublishFailure, Publisher } from '@tidings/core';
import type { LetterFilter, LetterStatus } from './letter-filter';
import type { GroupOptions, LetterGroup } from './letter-group';
import type { LetterIdentity } from './letter-key';
import type { LetterSummary, StoredLetter } from './stored-letter';

/** Remembers the failed attempts of messages that are tried again, so that a dead letter tells them all, whichever process made them. */
export interface FailureStory {
  /**
   * Resolves when stored, with the milliseconds since the first failure that was noted of this letter, by the store's clock: 0 for the first. A letter
   * with the same identity, buried later, begins with these failures. Not idempotent: each call is told.
   */
  note(letter: LetterIdentity & Pick<DeadLetter, 'failures'>): Promise<number>;
  /** The message was handled after all. Idempotent. */
  forget(letter: LetterIdentity): Promise<void>;
}

export interface ListOptions extends LetterFilter {
  /** 1 to 500. Default 50. */
  readonly limit?: number;
  /** The last id of the page before. */
  readonly after?: string;
  /** By the order of burial. Default `oldest` first. */
  readonly order?: 'oldest' | 'newest';
}

/** Who wants it, and why; both are kept with the letter. Neither may be empty. */
export interface Decision {
  readonly by: string;
  readonly reason: string;
}

export interface EditOptions extends Decision {
  /** What a redrive is to send instead; text is taken as UTF-8. Default: what it sends already. */
  readonly payload?: string | Uint8Array;
  /** All headers that a redrive is to send instead. Default: what it sends already. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type RedriveResult =
  /** Confirmed by the transport, in this generation; or handed to the parked key that waits for it. */
  | { readonly outcome: 'redriven'; readonly generation: number }
  /** Not published. The letter stays `redriving`: redrive it again, it will be the same generation. */
  | { readonly outcome: 'failed'; readonly reason: PublishFailure; readonly error: Error }
  | Unchanged;

/** Nothing was done. */
export type Unchanged =
  /** Settled before, in the way that `status` says, or just now found to be handled by a late copy. */
  { readonly outcome: 'settled'; readonly status: LetterStatus } | { readonly outcome: 'unknown' };

export type EditResult =
  | { readonly outcome: 'edited' }
  /** Outbound, and a redrive that did not end may have got through: redrive it again, or discard it. */
  | { readonly outcome: 'redriving' }
  | Unchanged;

export type DiscardResult = { readonly outcome: 'discarded' } | Unchanged;

export interface ImportReport {
  readonly imported: number;
  /** Filed here already; left as they were. */
  readonly known: number;
}

export interface PurgeReport {
  readonly letters: number;
  /** Notes about failed attempts of messages that never came to an end. */
  readonly failures: number;
}

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

  /**
   * A page of letters for which all that is given holds. Reads along an index where `messageId`, `key`, `traceId`, `failureFingerprint`, `type` or
   * `place` is given (the last three of open letters); else, and for what else is given, it looks at one letter after the other, in short statements.
   *
   * @throws OptionsError for a bad limit, `after` or filter.
   */
  list(options?: ListOptions): Promise<readonly LetterSummary[]>;

  /**
   * What waits for somebody, by failure, type or place: how many, since when, and an example. A page in the order of `value`; the cost grows with the
   * number of groups, not of letters.
   *
   * @throws OptionsError for a bad option.
   */
  groups(options?: GroupOptions): Promise<readonly LetterGroup[]>;

  /** A letter with all that is known; undefined when there is none of that id. */
  find(id: string): Promise<StoredLetter | undefined>;

  /**
   * Changes what a redrive sends. The letter's own payload and headers stay, and the letter tells who edited it when, why and to what.
   *
   * A redrive that has begun is taken back: its generation is sealed, so that what it may have sent already takes no effect beside the edit.
   *
   * @throws OptionsError when there is nothing to edit or no name or reason; LetterEditError for a payload that does not fit its contract, where that
   * is known, or that would move the message to another key.
   */
  edit(id: string, options: EditOptions): Promise<EditResult>;

  /** Decides against a letter, for good: it is not redriven, a late copy of it takes no effect, a key that is parked behind it goes on. Idempotent. */
  discard(id: string, decision: Decision): Promise<DiscardResult>;

  /**
   * Letters as lines of JSON (NDJSON), each ending in a line break, lossless: bytes are base64. Reads page by page as it is consumed; what is buried
   * meanwhile may or may not be in it.
   */
  export(filter?: LetterFilter): AsyncIterable<string>;

  /**
   * Files what `export` wrote, all of it or nothing. Letters that are filed here already stay as they are, so an import can be repeated. One transaction
   * on the store's pool: it is as long as the import.
   *
   * @throws LetterImportError that names the line and the field; nothing was filed then.
   */
  import(
    lines: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
    decision: Decision,
  ): Promise<ImportReport>;

  /**
   * Deletes letters that were settled (redriven, handled, discarded) longer ago than this, in pages, and notes of failed attempts as old. Letters that
   * wait for somebody are never deleted.
   */
  purge(options: { readonly olderThanMs: number }): Promise<PurgeReport>;

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
