import {
  asError,
  type HandlerDefinition,
  type MessageContext,
  retry,
  type Settlement,
  type Store,
  type Transaction,
} from '@tidings/core';
import { deduplicates } from './deduplicates';
import type { BatchInboxStore } from './inbox-batch';
import { inboxEntryOf } from './inbox-entry';
import { checkInboxOptions, type InboxOptions } from './inbox.options';
import { InboxUnavailableError } from './inbox-store';
import { settlementOf } from './outcome-settlement';

/** What is to be done with a message that shares a transaction. */
export type Verdict =
  | { readonly kind: 'handle' }
  /** A copy of an earlier one: what becomes of that one becomes of it. */
  | { readonly kind: 'copy'; readonly of: number }
  /** The inbox knows it, or cannot file it: it is settled without its handler. */
  | { readonly kind: 'settled'; readonly settlement: Settlement };

/** Resolves with the places of the messages whose effect was rolled back to a savepoint; what it throws rolls back all. */
export type SharedWork = (
  transaction: Transaction | undefined,
  verdicts: readonly Verdict[],
) => Promise<readonly number[]>;

/**
 * Runs `work` in one transaction for all messages, which are of one handler; resolves once it has committed. `work` is called unless no message is to
 * be handled. Rejects with what `work` or the commit rejected with, or when one of several cannot be filed and nobody says which.
 */
export type SharedTransaction = (contexts: readonly MessageContext[], work: SharedWork) => Promise<readonly Verdict[]>;

export interface SharedTransactionsOptions extends InboxOptions {
  readonly stores: (name: string) => Store;
  readonly inboxOf: (storeName: string) => BatchInboxStore;
}

const handle: Verdict = Object.freeze({ kind: 'handle' });
const settled = (settlement: Settlement): Verdict => ({ kind: 'settled', settlement });

/**
 * What `inboxMiddleware` does for one message, for many: by the handler's level with inbox rows, with a transaction alone, or with none. What kept
 * the handler from being reached is retried uncounted.
 */
export function sharedTransactions(
  options: SharedTransactionsOptions,
): (handler: HandlerDefinition) => SharedTransaction {
  const { stores, inboxOf, ...inbox } = options;
  const checked = checkInboxOptions(inbox);
  const away = (thrown: unknown): Verdict =>
    settled(retry(checked.againAfterMs, { counted: false, error: asError(thrown) }));

  const plain =
    (handler: HandlerDefinition): SharedTransaction =>
    async (contexts, work) => {
      const verdicts = contexts.map(() => handle);
      let reached = false;
      const run = async (transaction: Transaction | undefined): Promise<readonly Verdict[]> => {
        reached = true;
        await work(transaction, verdicts);
        return verdicts;
      };
      if (handler.level === 'atMostOnce' || handler.store === '') return run(undefined);
      return stores(handler.store)
        .run(run)
        .catch((thrown: unknown) => {
          if (reached) throw thrown;
          return contexts.map(() => away(thrown));
        });
    };

  const once =
    (handler: HandlerDefinition): SharedTransaction =>
    async (contexts, work) => {
      const messages = contexts.map(({ message }) => message);
      const entries = messages.map((message) => inboxEntryOf(handler.subscription, message));
      const verdictsOf = (outcomes: Awaited<ReturnType<BatchInboxStore['onceEach']>>): Verdict[] =>
        outcomes.map((outcome, at) => {
          const first = outcome.kind === 'copy' ? outcomes[outcome.of]! : outcome;
          if (first.kind === 'fresh' || first.kind === 'copy') return outcome.kind === 'copy' ? outcome : handle;
          return settled(settlementOf(first, messages[at]!, checked));
        });
      try {
        const judged = (transaction: Transaction, outcomes: Parameters<typeof verdictsOf>[0]) =>
          work(transaction, verdictsOf(outcomes));
        return verdictsOf(await inboxOf(handler.store).onceEach(entries, judged));
      } catch (thrown) {
        if (!(thrown instanceof InboxUnavailableError)) throw thrown;
        return contexts.map(() => away(thrown));
      }
    };

  return (handler) => (deduplicates(handler) ? once(handler) : plain(handler));
}
