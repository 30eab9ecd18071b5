import { asError } from '../errors';
import { type Clock, timestampOf } from '../scheduling/clock';
import { release } from '../transport/settlement';
import type { Middleware } from './middleware';

/**
 * Turns what is thrown into a settlement by the handler's policy, after its immediate attempts. Each of those runs the rest of the chain anew,
 * so that each has a transaction of its own.
 */
export const retryMiddleware =
  (clock: Clock): Middleware =>
  async (context, next) => {
    const { retry: policy } = context.handler;
    for (let turn = 0; ; turn++) {
      try {
        return await next();
      } catch (thrown) {
        if (context.signal.aborted) return release; // a handler cut short by the stop has not failed
        const error = asError(thrown);
        context.failures.push({ attempt: context.attempt, at: timestampOf(clock.now()), error });
        if (turn >= policy.immediate || !policy.retriable(error)) return policy.settle(error, context.attempt);
      }
    }
  };
