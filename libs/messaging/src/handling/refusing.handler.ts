import { type HandlerDefinition, type Message, type MessageContract, never, reject } from '@tidings/core';

/**
 * A handler that rejects every message, unread: so it goes the way of every failure, through log and dead letter. `atMostOnce` only spares it a
 * transaction.
 */
export const refusing = (
  at: Pick<HandlerDefinition, 'name' | 'subscription' | 'transport' | 'store' | 'onFailure'>,
  reasonOf: (message: Message) => string,
): HandlerDefinition => ({
  name: at.name,
  subscription: at.subscription,
  transport: at.transport,
  store: at.store,
  contract: UNREAD,
  level: 'atMostOnce',
  retry: never(),
  ...(at.onFailure && { onFailure: at.onFailure }),
  invoke: async (_payload, { message }) => reject(reasonOf(message)),
});

/** Decodes nothing: nobody knows the type's form. */
const UNREAD = {
  type: '*',
  version: 1,
  topic: '*',
  contentType: '*/*',
  keyOf: () => null,
  encode: () => Promise.reject(new Error('not a contract to publish by')),
  decode: (message: Pick<Message, 'payload'>) => Promise.resolve(message.payload),
} satisfies MessageContract<unknown, never>;
