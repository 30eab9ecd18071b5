import { defineMessage } from '@tidings/core';
import { z } from 'zod';

export const ACTIONS = ['view', 'search', 'click', 'buy'] as const;

const schema = z.object({ userId: z.string(), action: z.enum(ACTIONS), atMs: z.int() });

/** What a user did, and when, by the user's own time. */
export const UserActed = defineMessage('user.acted', { schema, key: ({ userId }) => userId });
export type UserActed = z.output<typeof schema>;
