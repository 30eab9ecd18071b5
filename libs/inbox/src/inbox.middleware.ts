import { asError, type Middleware, retry, type Settlement, type Store, type Transaction } from '@tidings/core';
import { commitOnAccept } from './commit-on-accept';
import { inboxEntryOf } from './inbox-entry';
import { checkInboxOptions, type InboxOptions } from './inbox.options';
import type { InboxStore } from './inbox-store';
import { settlementOf } from './outcome-settlement';
import { deduplicates } from './deduplicates';
import { PostgresInbox } from './postgres-inbox';

export interface InboxMiddlewareOptions extends InboxOptions {
  /** The store of that name. */
  readonly stores: (name: string) => Store;
  /** The inbox of a store. Default: a PostgresInbox in it. */
  readonly inboxOf?: (storeName: string) => Pick<InboxStore, 'once'>;
}

/**
 * Runs the rest of the chain in a transaction of the handler's store, as the handler's level says.
 * - `effectivelyOnce`: with the inbox row; copies are accepted without running the handler.
 * - `atLeastOnce`: without it; the transaction is given all the same, so that `managerOf(context)` and joining publishes work at both levels.
 *   A broadcast is handled so at any level: each process is to get its copy, and one inbox row would let only the first have it.
 * - `atMostOnce`: passes through, no transaction.
 * A handler that shares a transaction with others (`batch`) passes through too: `sharedTransactions` opens one for all of them.
 *
 * The transaction commits only when the chain settles as `accept`. Belongs inside of the retry middleware: each attempt gets a transaction of its
 * own, and what the handler or the commit throws is judged there. What kept the handler from
 * being reached (no connection, no table) is retried uncounted: nobody tried in earnest.
 */
export function inboxMiddleware({ stores, inboxOf, ...options }: InboxMiddlewareOptions): Middleware {
  const checked = checkInboxOptions(options);
  const inboxes = new Map<string, Pick<InboxStore, 'once'>>();
  const inboxFor = (name: string): Pick<InboxStore, 'once'> => {
    let inbox = inboxes.get(name);
    if (!inbox) inboxes.set(name, (inbox = inboxOf?.(name) ?? new PostgresInbox(stores(name), options)));
    return inbox;
  };
  return async (context, next) => {
    const { handler } = context;
    if (handler.level === 'atMostOnce' || handler.batch) return next();
    let reached = false;
    const work = async (transaction: Transaction | undefined): Promise<Settlement> => {
      reached = true;
      context.transaction = transaction;
      try {
        return await next();
      } finally {
        context.transaction = undefined; // whoever still holds the context must not find a transaction that has ended
      }
    };
    try {
      if (!deduplicates(handler)) return await commitOnAccept((run) => stores(handler.store).run(run), work);
      const entry = inboxEntryOf(handler.subscription, context.message);
      const outcome = await inboxFor(handler.store).once(entry, work);
      return outcome.kind === 'handled' ? outcome.settlement : settlementOf(outcome, context.message, checked);
    } catch (thrown) {
      if (reached) throw thrown;
      return retry(checked.againAfterMs, { counted: false, error: asError(thrown) });
    }
  };
}
