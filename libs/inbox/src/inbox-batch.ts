import type { Transaction } from '@tidings/core';
import type { InboxEntry } from './inbox-entry';
import type { InboxRefusal } from './inbox-store';

/** What the inbox says of one entry of a batch. */
export type BatchOutcome =
  | InboxRefusal
  /** Filed just now: to be handled. */
  | { readonly kind: 'fresh' }
  /** A copy of an earlier entry of the same batch: whatever becomes of that one becomes of it. */
  | { readonly kind: 'copy'; readonly of: number };

/**
 * Called when at least one entry is fresh. Resolves with the places of entries that are not to stay filed, for their effect was rolled back to a
 * savepoint; what it throws rolls back everything.
 */
export type BatchWork = (transaction: Transaction, outcomes: readonly BatchOutcome[]) => Promise<readonly number[]>;

/** An inbox that files many messages in one transaction. */
export interface BatchInboxStore {
  /**
   * Files all entries, which are of one subscription, in one statement; then runs `work`; then commits. Resolves with what the inbox said of each,
   * in their order. When a row is locked by whoever handles a copy just now, it waits a short while; then all are `busy` and `work` does not run.
   *
   * Concurrency: any number at once, in any number of processes, without dead-locks among them. Rejects with what `work` rejected with or the commit
   * failed with; before `work`, with InboxUnavailableError, or with a data exception of the database when one of several cannot be filed
   * (alone it would be `unfit`).
   */
  onceEach(entries: readonly InboxEntry[], work: BatchWork): Promise<readonly BatchOutcome[]>;
}
