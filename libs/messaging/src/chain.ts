import {
  blockMiddleware,
  checksumMiddleware,
  type Clock,
  logMiddleware,
  type Middleware,
  retryMiddleware,
  type TidingsLogger,
  timeoutMiddleware,
} from '@tidings/core';
import type { ConfirmMiddlewares } from '@tidings/callback';
import type { PoisonMiddlewares } from '@tidings/dead-letter';

export interface ChainParts {
  /** The user's. */
  readonly middleware: readonly Middleware[];
  readonly logger: TidingsLogger;
  readonly clock: Clock;
  /** Parks keys. Undefined without a store, and for what is released from a parked key. */
  readonly parking: Middleware | undefined;
  /** Of the handlers that have one. Undefined without a store. */
  readonly retryBudget: Middleware | undefined;
  /** Undefined without a store: a rejected message is the transport's to file. */
  readonly deadLetter: Middleware | undefined;
  /** Undefined without a store: what kills a process is remembered there. */
  readonly poison: PoisonMiddlewares | undefined;
  /** Answers requests. */
  readonly reply: Middleware;
  /** Of the subscriptions that have one. */
  readonly circuit: Middleware;
  /** Tells senders of refusals. Undefined without a store: there is no outbox to tell by. */
  readonly refusal: Middleware | undefined;
  /** The handler's transaction and, by its level, its inbox row. Undefined without a store. */
  readonly inbox: Middleware | undefined;
  /** Confirms to the callback service. Undefined: nothing is confirmed. */
  readonly confirm?: ConfirmMiddlewares | undefined;
  /** Beside the handler, inside of all policies. */
  readonly innermost?: Middleware | undefined;
}

/**
 * The order in which policies surround each handler, outermost first; nowhere else is it decided.
 * - The parking is around the dead letter: what failed for good is buried when its key is parked, and each delivery is parked by itself.
 * - The dead letter is around the retry: it sees what the policy gave up on. The log is around both.
 * - The retry budget is around the dead letter: what the policy gave up on takes no token, and a longer delay is not the policy's to judge.
 * - Poison's record is around the dead letter, which must be durable before it is forgotten; its verdict is inside, so that it is buried.
 * - The reply is inside of the dead letter, which a request that was answered with its failure is not; around poison's verdict, which is such a failure.
 * - The circuit breaker is around the retry: it counts what was settled, and takes back what an outage would bury.
 * - The refusal is around the retry, which gave up, and inside of the circuit and the dead letter: it is an answer, no failure.
 * - The retry is around checksum, inbox and handler: each attempt has a transaction of its own, and a commit that fails is a failed attempt.
 * - The inbox is around guard, interceptor, pipe and handler: they run in its transaction.
 * - A confirmation is around the inbox for what it settles by itself, a copy; inside of it for what the handler did, in its transaction.
 * - The time-out is innermost: what it gives up on makes the inbox roll back.
 */
export function chainOf(parts: ChainParts): readonly Middleware[] {
  const {
    middleware,
    logger,
    clock,
    parking,
    retryBudget,
    deadLetter,
    poison,
    reply,
    circuit,
    refusal,
    inbox,
    confirm,
    innermost,
  } = parts;
  const chain = [
    ...middleware,
    parking,
    logMiddleware(logger),
    poison?.record,
    retryBudget,
    deadLetter,
    blockMiddleware,
    reply,
    poison?.verdict,
    circuit,
    refusal,
    retryMiddleware(clock),
    checksumMiddleware,
    confirm?.accepted,
    inbox,
    confirm?.handled,
    timeoutMiddleware(clock, logger),
    innermost,
  ];
  return chain.filter((policy) => policy !== undefined);
}
