// The message of all rows: about 260 bytes of JSON, 64 keys.
import { defineMessage } from '@tidings/core';
import { z } from 'zod';

export const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ room: z.string(), user: z.string(), gift: z.string(), coins: z.number(), note: z.string() }),
  key: ({ room }) => room,
});

const note = 'x'.repeat(180);

export const gift = (n) => ({ room: `room-${n % 64}`, user: `user-${n % 1000}`, gift: 'rocket', coins: 100, note });
