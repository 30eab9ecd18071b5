import { asError, type Middleware, retry, type Settlement } from '@tidings/core';
import { deduplicates } from './deduplicates';
import { inboxEntryOf } from './inbox-entry';
import { checkInboxOptions, type InboxOptions } from './inbox.options';
import type { InboxStore } from './inbox-store';
import { settlementOf } from './outcome-settlement';

/**
 * Runs the rest of the chain once for each message, by an inbox that is in no database: for handlers of level `effectivelyOnce` in an application without
 * stores. There is no transaction. Any other level passes through. Belongs inside of the retry middleware, as `inboxMiddleware`.
 */
export function storelessInboxMiddleware({
  inbox,
  ...options
}: InboxOptions & { readonly inbox: Pick<InboxStore, 'once'> }): Middleware {
  const checked = checkInboxOptions(options);
  return async (context, next) => {
    const { handler, message } = context;
    if (!deduplicates(handler)) return next();
    let reached = false;
    const work = (): Promise<Settlement> => {
      reached = true;
      return next();
    };
    try {
      const outcome = await inbox.once(inboxEntryOf(handler.subscription, message), work);
      return outcome.kind === 'handled' ? outcome.settlement : settlementOf(outcome, message, checked);
    } catch (thrown) {
      if (reached) throw thrown;
      return retry(checked.againAfterMs, { counted: false, error: asError(thrown) });
    }
  };
}
