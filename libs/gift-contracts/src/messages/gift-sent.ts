import { defineMessage, type PayloadOf } from '@tidings/core';
import { z } from 'zod';
import { minorUnits, name, quantity } from './fields';

/** A viewer gave a streamer a gift, and it is paid for. Gifts of one room keep their order. */
export const GiftSent = defineMessage('gift.sent', {
  version: 1,
  schema: z.object({
    giftId: z.uuid(),
    roomId: name,
    streamerId: name,
    viewerId: name,
    gift: name,
    quantity,
    /** Price × quantity. */
    amountMinor: minorUnits,
    /** The room's running number, given under the lock of the room's row: the order that every consumer must see. */
    ordinal: z.int().min(1),
    sentAt: z.iso.datetime(),
  }),
  key: (gift) => gift.roomId,
});

export type GiftSent = PayloadOf<typeof GiftSent>;
