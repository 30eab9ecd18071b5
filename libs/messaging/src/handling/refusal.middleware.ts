import {
  accept,
  asError,
  type Clock,
  isRefusable,
  type MessageContext,
  type Middleware,
  refusalOfMessage,
  RefusedError,
  retry,
  type Settlement,
  type TidingsLogger,
  timestampOf,
} from '@tidings/core';
import type { Outbox } from '@tidings/outbox';

export interface RefusalMiddlewareOptions {
  /** This service's name. */
  readonly source: string;
  /** The inbox's middleware: the message becomes handled in the transaction that tells its sender. */
  readonly inTransaction: Middleware;
  readonly outboxOf: (store: string) => Pick<Outbox, 'append'>;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/** What could not be told comes again after this, uncounted: nothing is decided then, and the handler is asked once more. */
const AGAIN_MS = 1_000;

/**
 * Tells the sender of a message that it is refused for good. The handler's own transaction is rolled back by now; in a second one the inbox's row of the
 * message and the refusal in the outbox commit together. So a message is handled or refused, never both, whatever dies in between: a copy that was handled
 * meanwhile wins, and after a crash the handler decides anew.
 *
 * Only for messages whose sender compensates. A handler that shares its transaction with others cannot: its row is in that transaction, so its refusal is a
 * dead letter.
 */
export function refusalMiddleware(options: RefusalMiddlewareOptions): Middleware {
  const { source, inTransaction, outboxOf, clock, logger } = options;
  const tell = async ({ message, handler, transaction }: MessageContext, error: Error): Promise<Settlement> => {
    const { subscription, transport, store } = handler;
    const by = { source, group: subscription.group, reason: error.message };
    const refusal = refusalOfMessage(message, by, timestampOf(clock.now()));
    await outboxOf(store).append(transaction!, refusal, { transports: [transport], optional: false });
    return accept;
  };
  return async (context, next) => {
    const settlement = await next();
    if (settlement.kind !== 'reject' || !(settlement.error instanceof RefusedError)) return settlement;
    const { error } = settlement;
    const { handler, message } = context;
    if (!isRefusable(message) || handler.reply || handler.batch || handler.level === 'atMostOnce') return settlement;
    try {
      const told = await inTransaction(context, () => tell(context, error));
      if (told.kind === 'accept')
        logger.warn({ message: message.id, type: message.type, group: handler.subscription.group, reason: error.message }, 'a message was refused; its sender is told'); // prettier-ignore
      return told;
    } catch (thrown) {
      return retry(AGAIN_MS, { counted: false, error: asError(thrown) });
    }
  };
}
