import { defineMessage, type PayloadOf } from '@tidings/core';
import { z } from 'zod';
import { name, quantity } from './fields';

/**
 * Somebody wants to give a gift: the rush intake only enqueues this, and a consumer in gift-api writes the gift when it comes to it. Not yet a
 * fact about money: nobody but gift-api should listen.
 */
export const GiftRequested = defineMessage('gift.requested', {
  version: 1,
  schema: z.object({
    requestId: z.uuid(),
    roomId: name,
    viewerId: name,
    gift: name,
    quantity,
    /** The client's Idempotency-Key, if it sent one: the gift is written once for it, however often it was enqueued. */
    idempotencyKey: z.string().nullable(),
  }),
  key: (request) => request.roomId,
});

export type GiftRequested = PayloadOf<typeof GiftRequested>;
