import { asError } from '../errors';
import type { TidingsLogger } from '../logger';
import { backoffMs } from '../scheduling/backoff';
import type { Clock } from '../scheduling/clock';
import type { PublishResult } from './publisher';

export interface Persistence {
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  /** The longest wait between two tries. */
  readonly reconnectMaxMs: number;
}

/**
 * Publishes the copy of a message that a transport settles by a copy, until the broker has confirmed it: only then may the original be acked. Resolves with
 * false when `needed()` ended before: the original stays the broker's. A throw of `publish` is one more failure, logged like the others.
 */
export async function untilConfirmed(
  { clock, logger, reconnectMaxMs }: Persistence,
  id: string,
  needed: () => boolean,
  publish: () => Promise<PublishResult | undefined>,
): Promise<boolean> {
  for (let failures = 0; needed();) {
    const result = await publish().catch((thrown: unknown) => ({ outcome: 'thrown', error: asError(thrown) }) as const);
    if (result?.outcome === 'confirmed') return true;
    logger.warn({ message: id, err: result?.error }, 'a settlement waits: its copy was not published');
    await clock.wait(backoffMs(++failures, reconnectMaxMs));
  }
  return false;
}
