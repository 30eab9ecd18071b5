import type { Middleware } from '@tidings/core';
import type { History } from './history';

/**
 * The outermost link of the chain: what comes from the transport, and what goes back to it. Broadcasts are left out, for their rows would cost the check as
 * much as all others together.
 */
export const historyMiddleware =
  (history: History): Middleware =>
  async (context, next) => {
    if (!history.concerns(context)) return next();
    await history.write('delivered', context);
    const settlement = await next();
    await history.write('settled', context, settlement.kind);
    return settlement;
  };
