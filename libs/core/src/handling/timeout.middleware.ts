import { asError, TimeoutError } from '../errors';
import type { TidingsLogger } from '../logger';
import type { Clock } from '../scheduling/clock';
import type { Settlement } from '../transport/settlement';
import type { MessageContext } from './message-context';
import type { Next } from './middleware';

/**
 * Ends the attempt of a handler that takes longer than its `timeoutMs`: its signal aborts, and the attempt fails with TimeoutError. Nobody can stop
 * the handler's code: one that ignores the signal goes on, its place taken by others, and what it still does is its own. What it wrote in its
 * transaction is rolled back, because this belongs inside of the inbox and a store ends the connection of work that timed out.
 *
 * The signal stays aborted, so that also a handler that only looks at it now and then finds out; the next attempt is another delivery, with a context
 * of its own.
 */
export const timeoutMiddleware =
  (clock: Clock, logger: TidingsLogger) =>
  async (context: Pick<MessageContext, 'handler' | 'signal'>, next: Next): Promise<Settlement> => {
    const { handler, signal: stopping } = context;
    const { timeoutMs } = handler;
    if (timeoutMs === undefined) return next();
    const late = new AbortController();
    const done = new AbortController();
    context.signal = AbortSignal.any([stopping, late.signal]);
    const timedOut = clock.wait(timeoutMs, done.signal).then((): Promise<Settlement> | undefined => {
      if (done.signal.aborted) return undefined;
      const error = new TimeoutError(handler.name, timeoutMs);
      late.abort(error);
      return Promise.reject(error);
    });
    const handled = next();
    handled.catch((thrown: unknown) => {
      if (late.signal.aborted)
        logger.debug({ handler: handler.name, err: asError(thrown) }, 'a handler failed after its time was over');
    });
    try {
      const settlement = await Promise.race([handled, timedOut]);
      return settlement ?? (await handled);
    } finally {
      done.abort();
    }
  };
