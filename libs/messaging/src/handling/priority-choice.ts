import { publishedPriority, type Subscription } from '@tidings/core';
import type { FoundHandler } from './handler.explorer';

/**
 * How urgent the messages of a subscription are, by the `priority` of their handlers; of types without one by what they were published with. The payload is
 * decoded once more for it. One that cannot be is not urgent: its handler will tell.
 */
export function priorityOf(found: readonly FoundHandler[]): Pick<Subscription, 'priority'> {
  const byType = new Map(
    found.filter(({ options }) => options.priority).map((handler) => [handler.contract.type, handler]),
  );
  if (byType.size === 0) return {};
  return {
    priority: async (message) => {
      const handler = byType.get(message.type);
      const priority = handler?.options.priority;
      return handler && priority
        ? priority((await handler.contract.decode(message)) as never)
        : publishedPriority(message);
    },
  };
}
