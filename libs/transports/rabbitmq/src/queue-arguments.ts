import type { Options } from 'amqplib';
import type { MatchSettings, QueueSettings } from './topology.options';

/** The declaration of a queue. Only what is set is sent: an argument more, and a queue that stands is another one. */
export function queueArguments(
  { kind, durable, exclusive, autoDelete, ...given }: Partial<QueueSettings>,
  more: Readonly<Record<string, unknown>> = {},
): Options.AssertQueue {
  const wanted: Record<string, unknown> = {
    'x-queue-type': kind === 'quorum' ? kind : undefined,
    'x-queue-mode': given.lazy ? 'lazy' : undefined,
    'x-message-ttl': given.messageTtlMs,
    'x-expires': given.expiresMs,
    'x-max-length': given.maxLength,
    'x-max-length-bytes': given.maxBytes,
    'x-overflow': given.overflow,
    'x-max-priority': given.maxPriority,
    'x-delivery-limit': given.deliveryLimit,
    ...more,
  };
  return {
    durable: durable ?? true,
    ...(exclusive && { exclusive }),
    ...(autoDelete && { autoDelete }),
    arguments: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)),
  };
}

/** The arguments of a binding; a `headers` exchange without them lets everything through. */
export const bindingArguments = ({ headers, match = 'all' }: MatchSettings): Record<string, unknown> =>
  headers ? { ...headers, 'x-match': match } : {};
