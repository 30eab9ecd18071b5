import { parseArgs } from 'node:util';
import { TRANSPORT_NAMES } from '@tidings/brokers';
import { parseOptions } from '@tidings/core';
import { z } from 'zod';

/**
 * What a run can be made to do wrong: accept deliveries unhandled; handle without an inbox; handle a key's messages side by side; publish in a
 * transaction of its own beside the sender's.
 */
const SABOTAGES = ['lossy', 'no-inbox', 'no-order', 'own-transaction'] as const;
export type Sabotage = (typeof SABOTAGES)[number];

const wholeNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

const schema = z.strictObject({
  transport: z.enum(TRANSPORT_NAMES, { error: `expected ${TRANSPORT_NAMES.join(', ')}` }).default('postgres'),
  seconds: z
    .string()
    .default('60')
    .transform(wholeNumber)
    .pipe(z.int({ error: 'expected whole seconds' }).min(5).max(86_400)),
  /** A random one when left out; it is printed, and repeats the plan of faults. */
  seed: z
    .string()
    .default(() => String(Math.floor(Math.random() * 2 ** 31)))
    .transform(wholeNumber)
    .pipe(
      z
        .int({ error: 'expected a whole number' })
        .min(0)
        .max(2 ** 31),
    ),
  /** Breaks one thing, so that the checker can be seen to notice. Default none. */
  sabotage: z.enum(SABOTAGES, { error: `expected ${SABOTAGES.join(', ')}` }).optional(),
  /** Default false: a table only. */
  json: z.boolean().default(false),
});

export type ChaosOptions = z.output<typeof schema>;

/** @throws OptionsError that names the bad argument; a TypeError of Node for an unknown one. */
export function chaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      transport: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      sabotage: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  return parseOptions('chaos', schema, { ...values });
}
