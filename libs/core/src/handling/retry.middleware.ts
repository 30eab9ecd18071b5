import { asError, TimeoutError } from '../errors';
import { type Clock, timestampOf } from '../scheduling/clock';
import { attemptsIn, release, type Settlement } from '../transport/settlement';
import type { Middleware } from './middleware';
import { retryAfterOf } from './retry-backoff';

type Retry = Extract<Settlement, { kind: 'retry' }>;

/**
 * Turns what is thrown into a settlement by the handler's policy, after its immediate attempts. Each of those runs the rest of the chain anew,
 * so that each has a transaction of its own, and each counts: the settlement says how many there were, and the transport writes it down for whoever
 * has the message next. So a policy with five attempts runs the handler five times, in all processes together.
 */
export const retryMiddleware =
  (clock: Clock): Middleware =>
  async (context, next) => {
    const { handler, delivery, signal } = context;
    const immediate = handler.retryBudget ? 0 : handler.retry.immediate;
    for (let turn = 0; ; turn++) {
      context.attempt = delivery.attempt + turn;
      try {
        const settlement = await next();
        return settlement.kind === 'retry' ? withTurns(settlement, turn) : settlement;
      } catch (thrown) {
        if (signal.aborted) return release; // a handler cut short by the stop has not failed
        const error = asError(thrown);
        context.failures.push({ attempt: context.attempt, at: timestampOf(clock.now()), error });
        const settlement = handler.retry.settle(error, context.attempt);
        if (settlement.kind !== 'retry') return settlement;
        if (context.attempt > immediate || !mayRepeatAtOnce(error, settlement)) return withTurns(settlement, turn);
      }
    }
  };

/** `turn` failed attempts were made before the one that was settled so, whether that one counts or not. */
function withTurns(settlement: Retry, turn: number): Retry {
  if (turn === 0) return settlement;
  return { ...settlement, counted: true, attempts: turn + attemptsIn(settlement) };
}

/** After a time-out the handler may still be at work, and who says when to come back does not mean now. */
const mayRepeatAtOnce = (error: Error, { counted }: Retry): boolean =>
  counted && !(error instanceof TimeoutError) && retryAfterOf(error) === undefined;
