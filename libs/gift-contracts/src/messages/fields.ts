import { z } from 'zod';

/** Names of rooms, viewers, streamers and gifts: any text that a person could have typed, but short. */
export const name = z.string().trim().min(1).max(100);

export const quantity = z.int().min(1).max(9_999);

/** Money in the currency's smallest unit. An integer: a floating-point sum would not be the same in every order. */
export const minorUnits = z.int().min(0);
