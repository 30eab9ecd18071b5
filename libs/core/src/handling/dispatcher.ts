import { asError } from '../errors';
import type { TidingsLogger } from '../logger';
import type { Delivery } from '../message/message';
import type { Receive } from '../transport/subscriber';
import { accept, isSettlement, retry } from '../transport/settlement';
import type { HandlerDefinition } from './handler';
import { MessageContext } from './message-context';
import { compose, type Middleware } from './middleware';

/** After a failure outside of every policy (the store is away, say): the same delivery comes again, uncounted. */
const UNEXPECTED_RETRY_MS = 1_000;

/** Delivery → chain → handler → settlement. The result never rejects: what slips through every policy is retried, uncounted, and logged. */
export function dispatcher(handler: HandlerDefinition, chain: readonly Middleware[], logger: TidingsLogger): Receive {
  const run = compose(chain, async (context) => {
    const payload = await handler.contract.decode(context.message);
    const answer = await handler.invoke(payload, context);
    if (!handler.reply) return isSettlement(answer) ? answer : accept;
    context.reply = (await handler.reply.encode(answer as never)).bytes; // an answer that does not fit undoes the work
    return accept;
  });
  return async (delivery: Delivery, signal: AbortSignal) => {
    try {
      return await run(new MessageContext(delivery, handler, signal));
    } catch (thrown) {
      const error = asError(thrown);
      logger.error(
        { handler: handler.name, message: delivery.message.id, err: error },
        'a delivery failed outside of its policies',
      );
      return retry(UNEXPECTED_RETRY_MS, { counted: false, error });
    }
  };
}
