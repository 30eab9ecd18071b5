import { AsyncResource } from 'node:async_hooks';
import { accept, type Clock, dispatcher, type HandlerDefinition, type Middleware, type Receive, type TidingsLogger, timeoutMiddleware } from '@tidings/core'; // prettier-ignore
import type { SharedTransaction } from '@tidings/inbox';
import { namesOf } from '../messaging.errors';
import { AcceptFirstReceiver } from './accept-first.receiver';
import { batchRun } from './batch-run';
import { coalescedRun } from './coalesced-run';
import type { Invoke } from './handler-invoker';
import { refusing } from './refusing.handler';
import { SharedTransactionGate } from './shared-transaction.gate';
import { shardedReceiver } from './sharded.receiver';
import type { PlannedHandler } from './handler-plan';
import type { PlannedSubscription } from './subscription-plan';

export interface ReceiverParts {
  readonly chain: readonly Middleware[];
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  /** One transaction for the messages of a batch. */
  readonly shared: (handler: HandlerDefinition) => SharedTransaction;
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

  #receiverFor(handler: PlannedHandler, parts: ReceiverParts): Receive {
    const { chain, clock, logger } = parts;
    // Of a sharded handler's batch each shard has a transaction, and what is refused for want of a shard has none.
    const dispatch = (to: HandlerDefinition): Receive =>
      dispatcher(to.batch ? gated({ ...handler, store: to.store }, parts) : to, chain, logger);
    const receive = handler.shards ? shardedReceiver(handler, handler.shards, dispatch) : dispatch(handler);
    if (handler.level !== 'atMostOnce') return receive;
    const acceptFirst = new AcceptFirstReceiver(handler.subscription, receive, clock, logger);
    this.#acceptFirst.push(acceptFirst);
    return acceptFirst.receive;
  }
}

/** The handler's messages meet at a gate, where one transaction is opened for those that were handed over together; its time-out is for each run there. */
function gated(planned: PlannedHandler, { shared, clock, logger }: ReceiverParts): HandlerDefinition {
  const { timeoutMs: _, ...handler } = planned;
  const transaction = shared(handler);
  const withinTime = timeoutMiddleware(clock, logger);
  const call = planned.invoke as Invoke; // the invoker's, which takes a batch as well
  const invoke: Invoke = (payload, context) => {
    const timed = {
      handler: planned,
      get signal() {
        return context.signal;
      },
      set signal(signal) {
        context.signal = signal;
      },
    };
    return withinTime(timed, async () => (await call(payload, context)) ?? accept);
  };
  const run =
    planned.together === 'batch' ? batchRun({ transaction, invoke, logger }) : coalescedRun({ transaction, invoke });
  return { ...handler, invoke: new SharedTransactionGate(run).join };
}

const unknownTypeHandler = ({ transport, subscription, handlers }: PlannedSubscription): HandlerDefinition =>
  refusing(
    { ...handlers[0]!, name: `${subscription.group} (no handler)`, subscription, transport },
    ({ type }) =>
      `unknown type ${type}: group ${subscription.group} on ${subscription.topic} handles ${namesOf(handlers.map((h) => h.contract.type))}`,
  );
