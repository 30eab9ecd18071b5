import type { MessageContext } from './message-context';
import type { Settlement } from '../transport/settlement';

export type Next = () => Promise<Settlement>;

/**
 * One policy around the handling of a delivery. It may answer without calling `next`, call it again (a retry), or turn its settlement into
 * another. What it throws is the failure of the attempt, judged by the retry policy when it was thrown inside of it.
 */
export type Middleware = (context: MessageContext, next: Next) => Promise<Settlement>;

/** The first one is the outermost. */
export const compose =
  (middlewares: readonly Middleware[], innermost: (context: MessageContext) => Promise<Settlement>) =>
  (context: MessageContext): Promise<Settlement> => {
    const from = (index: number): Promise<Settlement> => {
      const middleware = middlewares[index];
      return middleware ? middleware(context, () => from(index + 1)) : innermost(context);
    };
    return from(0);
  };
