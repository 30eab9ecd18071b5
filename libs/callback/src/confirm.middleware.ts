import { type Clock, HEADERS, type MessageContext, type MessageContract, type Middleware, timestampOf } from '@tidings/core'; // prettier-ignore
import { type Confirmation, Confirmed } from './callback.contracts';
import type { Confirmer } from './confirmer';

/** In the header `confirm` of what was sent again. */
export const SENT_AGAIN = 'again';

export interface ConfirmMiddlewareSetup {
  readonly confirmer: Pick<Confirmer, 'confirm'>;
  /** The outbox of a handler's store, for confirmations in the handler's transaction. Undefined: all are sent directly. */
  readonly outboxOf?: (store: string) => {
    within(handle: unknown): {
      publish<Payload, Input>(contract: MessageContract<Payload, Input>, payload: Input): Promise<unknown>;
    };
  };
  readonly clock: Clock;
}

export interface ConfirmMiddlewares {
  /** Around the inbox: what was accepted and is not confirmed yet, a copy that the inbox knew above all, is confirmed directly. */
  readonly accepted: Middleware;
  /** Inside of the inbox: the confirmation is part of the handler's transaction. */
  readonly handled: Middleware;
}

/**
 * Confirms what was sent to be confirmed. A copy is confirmed as well, for the confirmation of the first may have been what was lost. A broadcast and
 * `atMostOnce` confirm nothing: nobody can say that they took effect. Messages that are handled in batches are confirmed directly.
 */
export function confirmMiddlewares({ confirmer, outboxOf, clock }: ConfirmMiddlewareSetup): ConfirmMiddlewares {
  const reached = new WeakSet<MessageContext>();
  const written = new WeakSet<MessageContext>();
  const wanted = ({ message, handler }: MessageContext): boolean =>
    message.headers[HEADERS.confirm] !== undefined &&
    message.bucket !== null &&
    !handler.subscription.broadcast &&
    handler.level !== 'atMostOnce';
  const confirmationOf = ({ message, handler }: MessageContext, copy: boolean): Confirmation => ({
    source: message.source,
    id: message.id,
    bucket: message.bucket!,
    type: message.type,
    group: handler.subscription.group,
    sentAt: message.time,
    at: timestampOf(clock.now()),
    copy,
    resent: message.headers[HEADERS.confirm] === SENT_AGAIN,
  });
  return {
    accepted: async (context, next) => {
      if (!wanted(context)) return next();
      reached.delete(context); // each attempt anew: what an earlier one wrote was rolled back with it
      written.delete(context);
      const settlement = await next();
      if (settlement.kind === 'accept' && !written.has(context))
        confirmer.confirm(confirmationOf(context, !reached.has(context)));
      return settlement;
    },
    handled: async (context, next) => {
      if (!wanted(context)) return next();
      reached.add(context);
      const settlement = await next();
      if (settlement.kind !== 'accept' || !context.transaction || !outboxOf) return settlement;
      const confirmations = [confirmationOf(context, false)];
      await outboxOf(context.handler.store).within(context.transaction).publish(Confirmed, { confirmations });
      written.add(context);
      return settlement;
    },
  };
}
