import type { Subscription } from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import type { FoundHandler } from './handler.explorer';

type Shared = Pick<Subscription, 'ordered' | 'broadcast' | 'concurrency' | 'from'>;

const SHARED_DEFAULTS: Shared = { ordered: false, broadcast: false, concurrency: 5, from: 'now' };
const SHARED = ['ordered', 'broadcast', 'concurrency', 'from'] as const;

/** Several handlers of one subscription: what one says holds for all, and two may not say different things. */
export function sharedOf(found: readonly FoundHandler[]): Shared {
  const shared: Record<string, unknown> = { ...SHARED_DEFAULTS };
  for (const option of SHARED) {
    const [one, ...others] = found.filter(({ options }) => options[option] !== undefined);
    if (!one) continue;
    shared[option] = one.options[option];
    const other = others.find(({ options }) => options[option] !== one.options[option]);
    if (other) {
      throw new MessagingConfigurationError(
        `group ${one.options.group} on ${one.contract.topic}`,
        `expected one value of ${option} for its subscription, found ${String(one.options[option])} at ${one.name} and ` +
          `${String(other.options[option])} at ${other.name}; say it once, or use two groups`,
      );
    }
  }
  return shared as unknown as Shared;
}

/** What one handler says for all of its subscription. */
export function saidOnce<Option>(
  name: 'circuit' | 'rateLimit' | 'keyConcurrency',
  found: readonly FoundHandler[],
  optionOf: (handler: FoundHandler) => Option | undefined,
): Option | undefined {
  const [one, other] = found.filter((handler) => optionOf(handler) !== undefined);
  if (!one || !other) return one && optionOf(one);
  throw new MessagingConfigurationError(
    `group ${other.options.group} on ${other.contract.topic}`,
    `expected one ${name} for its subscription, found one at ${one.name} and one at ${other.name}; say it once`,
  );
}
