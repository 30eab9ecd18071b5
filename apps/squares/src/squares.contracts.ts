import { defineMessage } from '@tidings/core';
import { z } from 'zod';

/** The index tells a copy from another number that happens to be the same. */
const index = z.int().min(0);

export const NumberDrawn = defineMessage('squares.number', { schema: z.object({ index, number: z.int() }) });

/** Digits, for the squares of large numbers and their sum are past what a double holds. */
const digits = z.string().regex(/^\d+$/);

export const NumberSquared = defineMessage('squares.square', { schema: z.object({ index, square: digits }) });

/** To every process: there is nothing left to do. */
export const SumFinished = defineMessage('squares.finished', { schema: z.object({ sum: digits }) });

/** Who works on a number, who on a square, and whoever is to leave at the end. */
export const GROUPS = { squarers: 'squarers', summer: 'summer', everybody: 'everybody' } as const;

export const TOPICS = [NumberDrawn, NumberSquared, SumFinished].map(({ topic }) => topic);
