import {
  asError,
  type MessageContext,
  type Middleware,
  type RetryBudget,
  type Settlement,
  silentLogger,
  type Store,
  type TidingsLogger,
} from '@tidings/core';
import { takeRetryToken } from './sql/take-retry-token';

export interface RetryBudgetMiddlewareOptions {
  /** The store of a handler; undefined: none, no budget. */
  readonly storeOf: (storeName: string) => Store | undefined;
  /** Hears when a token could not be taken. Default silent. */
  readonly logger?: TidingsLogger;
}

/** `maxWaitMs` of a RetryBudget that does not say: a day. */
export const RETRY_BUDGET_WAIT_MS = 24 * 3_600_000;

/**
 * Keeps the retries of all processes within a budget: each takes a token of the store's bucket when the message has failed, and waits for it before its
 * own delay begins. A token far away makes the delay longer, and nothing else: the attempt has failed and counts, the message is never given up for it.
 * A message that does not fail costs nothing.
 *
 * Belongs around the dead letter: what the policy gives up on takes no token, and a delay that the budget made longer is not the policy's to judge. A
 * token that cannot be taken, because the store is away, is not waited for.
 */
export function retryBudgetMiddleware({ storeOf, logger = silentLogger }: RetryBudgetMiddlewareOptions): Middleware {
  return async (context, next) => {
    const settlement = await next();
    const { retryBudget: budget, store: storeName, subscription } = context.handler;
    const store = budget && settlement.kind === 'retry' && settlement.counted ? storeOf(storeName) : undefined;
    if (!budget || !store) return settlement;
    return delayed(context, settlement, await waitFor(store, budget, `${subscription.group}@${subscription.topic}`));
  };

  async function waitFor(store: Store, { name, perSecond, burst, maxWaitMs }: RetryBudget, place: string) {
    try {
      return await takeRetryToken(store, name ?? place, {
        perSecond,
        burst: burst ?? Math.max(1, Math.ceil(perSecond)),
        maxWaitMs: maxWaitMs ?? RETRY_BUDGET_WAIT_MS,
      });
    } catch (thrown) {
      logger.warn({ budget: name ?? place, err: asError(thrown) }, 'a retry was not taken from its budget');
      return 0;
    }
  }

  function delayed({ message }: MessageContext, settlement: Settlement, waitMs: number): Settlement {
    if (settlement.kind !== 'retry' || waitMs === 0) return settlement;
    logger.debug({ message: message.id, waitMs }, 'a retry waits for its budget');
    return { ...settlement, afterMs: settlement.afterMs + waitMs };
  }
}
