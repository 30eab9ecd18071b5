import { type Settlement, TidingsError, type Transaction } from '@tidings/core';
import type { InboxEntry } from './inbox-entry';

export type InboxOutcome =
  /** The work ran. Its effect and the entry are stored when its settlement is `accept`; else neither is. */
  | { readonly kind: 'handled'; readonly settlement: Settlement }
  /** Handled before, or taken over by a redrive: the work did not run. */
  | { readonly kind: 'duplicate' }
  /** The same id was handled with other content: the work did not run. */
  | { readonly kind: 'conflict' }
  /** Its bucket is so old that the inbox no longer knows whether it was handled: the work did not run. */
  | { readonly kind: 'outside'; readonly horizon: string }
  /** The inbox cannot file such an entry, now or later: the work did not run. */
  | { readonly kind: 'unfit'; readonly problem: string }
  /** A copy is being handled just now, and was not done in time: the work did not run. */
  | { readonly kind: 'busy' };

/** Why the inbox did not let a message through to its handler. */
export type InboxRefusal = Exclude<InboxOutcome, { readonly kind: 'handled' }>;

/** Remembers what each subscription has handled. */
export interface InboxStore {
  /**
   * Runs `work` unless the entry was handled before. The entry and what `work` did in the transaction commit together, and only when it resolves
   * with `accept`.
   *
   * Concurrency: any number at once, in any number of processes; of two calls for one entry the second waits for the first, a short while, and
   * answers `busy` if that is not enough. It runs `work` once at most. `work` must not swallow a failed statement of the transaction.
   *
   * Rejects with what `work` rejected with, or with what the commit failed with (then nobody knows whether it took place, and another call tells);
   * with InboxUnavailableError when `work` was never reached.
   */
  once(entry: InboxEntry, work: (transaction: Transaction | undefined) => Promise<Settlement>): Promise<InboxOutcome>;

  /**
   * Makes sure that an entry which was not handled never will be: a copy that still turns up is a duplicate. A redrive does so with the generation
   * it supersedes, else a late copy and the redriven message could both take effect.
   *
   * `sealed`: by this call, an earlier one, or because the inbox refuses such an entry anyway. `handled`: too late, it took effect. Idempotent;
   * durable when it resolves. Rejects with InboxUnavailableError when the store is away or a copy is being handled just now.
   */
  seal(entry: InboxEntry): Promise<'sealed' | 'handled'>;
}

/** The inbox could not be asked, so the message was not handled: it is no failure of the handler and counts as no attempt. */
export class InboxUnavailableError extends TidingsError {
  constructor(subscription: string, options: { readonly cause: Error }) {
    super(
      'TIDINGS_INBOX_UNAVAILABLE',
      `inbox of ${subscription}: expected to register a message, found ${options.cause.message}; the message stays with its transport until the inbox answers`,
      options,
    );
  }
}
