import { PARK_RETRY_MS, retry } from '../transport/settlement';
import type { Middleware } from './middleware';

/**
 * `onFailure: 'block'`: what would be given up is tried again in place, uncounted, until it succeeds, and its key waits behind it at the broker. Belongs
 * around the retry and inside of the dead letter, so that nothing is buried. A message without a key has nobody behind it and is given up.
 */
export const blockMiddleware: Middleware = async (context, next) => {
  const settlement = await next();
  const { handler, message } = context;
  if (settlement.kind !== 'reject' || handler.onFailure !== 'block' || message.key === null) return settlement;
  return retry(PARK_RETRY_MS, { counted: false, ...(settlement.error && { error: settlement.error }) });
};
