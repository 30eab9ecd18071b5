import { type Clock, type Delivery, dispatcher, type HandlerDefinition, type Message, type MessageContract, type Middleware, never, type Receive, reject, type TidingsLogger } from '@tidings/core'; // prettier-ignore
import { namesOf } from '../messaging.errors';
import { AcceptFirstReceiver } from './accept-first.receiver';
import type { PlannedSubscription } from './subscription-plan';

export interface ReceiverParts {
  readonly chain: readonly Middleware[];
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/** What a subscription delivers to: the handler of the message's type, with its chain. */
export class SubscriptionReceiver {
  readonly #byType = new Map<string, Receive>();
  readonly #acceptFirst: AcceptFirstReceiver[] = [];
  readonly #unknown: Receive;

  constructor(planned: PlannedSubscription, parts: ReceiverParts) {
    for (const handler of planned.handlers) this.#byType.set(handler.contract.type, this.#receiverFor(handler, parts));
    this.#unknown = dispatcher(unknownTypeHandler(planned), parts.chain, parts.logger);
  }

  readonly receive: Receive = (delivery: Delivery, signal: AbortSignal) =>
    (this.#byType.get(delivery.message.type) ?? this.#unknown)(delivery, signal);

  /** Waits for the handlers whose deliveries are accepted already; the others are the transport's to wait for. */
  async stop(drainMs: number): Promise<void> {
    await Promise.all(this.#acceptFirst.map((receiver) => receiver.stop(drainMs)));
  }

  #receiverFor(handler: HandlerDefinition, { chain, clock, logger }: ReceiverParts): Receive {
    const receive = dispatcher(handler, chain, logger);
    if (handler.level !== 'atMostOnce') return receive;
    const acceptFirst = new AcceptFirstReceiver(handler.subscription, receive, clock, logger);
    this.#acceptFirst.push(acceptFirst);
    return acceptFirst.receive;
  }
}

/** A type that the group has no handler for goes the way of every failure: through log and dead letter. `atMostOnce` only spares it a transaction. */
function unknownTypeHandler({ transport, subscription, handlers }: PlannedSubscription): HandlerDefinition {
  const first = handlers[0]!;
  return {
    name: `${subscription.group} (no handler)`,
    contract: UNREAD,
    subscription,
    transport,
    store: first.store,
    level: 'atMostOnce',
    retry: never(),
    ...(first.onFailure && { onFailure: first.onFailure }),
    invoke: async (_payload, { message }) =>
      reject(
        `unknown type ${message.type}: group ${subscription.group} on ${subscription.topic} handles ${namesOf(handlers.map((h) => h.contract.type))}`,
      ),
  };
}

/** Decodes nothing: nobody knows the type's form. */
const UNREAD = {
  type: '*',
  version: 1,
  topic: '*',
  contentType: '*/*',
  keyOf: () => null,
  encode: () => Promise.reject(new Error('not a contract to publish by')),
  decode: (message: Pick<Message, 'payload'>) => Promise.resolve(message.payload),
} satisfies MessageContract<unknown, never>;
