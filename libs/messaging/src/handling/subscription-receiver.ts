import { AsyncResource } from 'node:async_hooks';
import { type Clock, dispatcher, type HandlerDefinition, type Middleware, type Receive, type TidingsLogger } from '@tidings/core'; // prettier-ignore
import { namesOf } from '../messaging.errors';
import { AcceptFirstReceiver } from './accept-first.receiver';
import { refusing } from './refusing.handler';
import { shardedReceiver } from './sharded.receiver';
import type { PlannedHandler, PlannedSubscription } from './subscription-plan';

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

  /**
   * Runs in the asynchronous context of the start, not of whoever delivers: a publish in the same process wakes a reader, and the handler must not
   * find that request's user or transaction in an AsyncLocalStorage.
   */
  readonly receive: Receive = AsyncResource.bind<Receive, undefined>((delivery, signal) =>
    (this.#byType.get(delivery.message.type) ?? this.#unknown)(delivery, signal),
  );

  /** Waits for the handlers whose deliveries are accepted already; the others are the transport's to wait for. */
  async stop(drainMs: number): Promise<void> {
    await Promise.all(this.#acceptFirst.map((receiver) => receiver.stop(drainMs)));
  }

  #receiverFor(handler: PlannedHandler, { chain, clock, logger }: ReceiverParts): Receive {
    const dispatch = (to: HandlerDefinition): Receive => dispatcher(to, chain, logger);
    const receive = handler.shards ? shardedReceiver(handler, handler.shards, dispatch) : dispatch(handler);
    if (handler.level !== 'atMostOnce') return receive;
    const acceptFirst = new AcceptFirstReceiver(handler.subscription, receive, clock, logger);
    this.#acceptFirst.push(acceptFirst);
    return acceptFirst.receive;
  }
}

const unknownTypeHandler = ({ transport, subscription, handlers }: PlannedSubscription): HandlerDefinition =>
  refusing(
    { ...handlers[0]!, name: `${subscription.group} (no handler)`, subscription, transport },
    ({ type }) =>
      `unknown type ${type}: group ${subscription.group} on ${subscription.topic} handles ${namesOf(handlers.map((h) => h.contract.type))}`,
  );
