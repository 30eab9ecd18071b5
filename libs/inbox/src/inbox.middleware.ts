import {
  accept,
  asError,
  type HandlerDefinition,
  type MessageContext,
  type Middleware,
  reject,
  retry,
  type Settlement,
  type Store,
  type Transaction,
} from '@tidings/core';
import { commitOnAccept } from './commit-on-accept';
import { inboxEntryOf } from './inbox-entry';
import { type CheckedInboxOptions, checkInboxOptions, type InboxOptions } from './inbox.options';
import type { InboxOutcome, InboxStore } from './inbox-store';
import { PostgresInbox } from './postgres-inbox';

export interface InboxMiddlewareOptions extends InboxOptions {
  /** The store of that name. */
  readonly stores: (name: string) => Store;
  /** The inbox of a store. Default: a PostgresInbox in it. */
  readonly inboxOf?: (storeName: string) => InboxStore;
}

/**
 * Runs the rest of the chain in a transaction of the handler's store, as the handler's level says.
 * - `effectivelyOnce`: with the inbox row; copies are accepted without running the handler.
 * - `atLeastOnce`: without it; the transaction is given all the same, so that `managerOf(context)` and joining publishes work at both levels.
 *   A broadcast is handled so at any level: each process is to get its copy, and one inbox row would let only the first have it.
 * - `atMostOnce`: passes through, no transaction.
 *
 * The transaction commits only when the chain settles as `accept`. Belongs inside of the retry middleware: each attempt gets a transaction of its
 * own, and what the handler or the commit throws is judged there. What kept the handler from
 * being reached (no connection, no table) is retried uncounted: nobody tried in earnest.
 */
export function inboxMiddleware({ stores, inboxOf, ...options }: InboxMiddlewareOptions): Middleware {
  const checked = checkInboxOptions(options);
  const inboxes = new Map<string, InboxStore>();
  const inboxFor = (name: string): InboxStore => {
    let inbox = inboxes.get(name);
    if (!inbox) inboxes.set(name, (inbox = inboxOf?.(name) ?? new PostgresInbox(stores(name), options)));
    return inbox;
  };
  return async (context, next) => {
    const { handler } = context;
    if (handler.level === 'atMostOnce') return next();
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
      if (!deduplicates(handler)) return await commitOnAccept(stores(handler.store), work);
      const entry = inboxEntryOf(handler.subscription, context.message);
      return settlementOf(await inboxFor(handler.store).once(entry, work), context, checked);
    } catch (thrown) {
      if (reached) throw thrown;
      return retry(checked.againAfterMs, { counted: false, error: asError(thrown) });
    }
  };
}

const deduplicates = ({ level, subscription }: HandlerDefinition): boolean =>
  level === 'effectivelyOnce' && !subscription.broadcast;

function settlementOf(outcome: InboxOutcome, { message }: MessageContext, options: CheckedInboxOptions): Settlement {
  switch (outcome.kind) {
    case 'handled':
      return outcome.settlement;
    case 'duplicate':
      return accept;
    case 'conflict':
      return reject(`conflict: message ${message.id} of ${message.source} was handled before with other content`);
    case 'outside':
      return reject(
        `outside the dedupe horizon: bucket ${message.bucket} is older than ${outcome.horizon}, nobody knows whether it was handled; redrive it to handle it`,
      );
    case 'unfit':
      return reject(`the inbox cannot file it: ${outcome.problem}`);
    case 'busy':
      return retry(options.againAfterMs, { counted: false });
  }
}
