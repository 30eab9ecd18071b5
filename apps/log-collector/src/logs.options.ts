import { parseArgs } from 'node:util';
import { parseOptions } from '@tidings/core';
import { z } from 'zod';

const whole = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));
const number = (fallback: string, least: number) =>
  z
    .string()
    .default(fallback)
    .transform(whole)
    .pipe(z.int({ error: 'expected a whole number' }).min(least).max(10_000_000));

const schema = z.strictObject({
  count: number('20000', 1),
  seed: number('1', 0),
  kill: z.boolean().default(true),
  json: z.boolean().default(false),
});
export type LogsOptions = z.output<typeof schema>;

/** @throws OptionsError that names the bad argument; a TypeError of Node for an unknown one. */
export function logsOptions(args: readonly string[]): LogsOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      count: { type: 'string' },
      seed: { type: 'string' },
      kill: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  return parseOptions('logs', schema, { ...values });
}
