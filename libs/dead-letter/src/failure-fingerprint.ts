import { createHash } from 'node:crypto';
import type { DeadLetter } from '@tidings/core';

/** Ids, numbers and the like differ from failure to failure of one kind. */
const VARIABLE = /\b(?=[\w-]*\d)[\w-]+\b/g;
const COMPARED = 300;

/**
 * The same for letters that failed alike: same place, handler and last error, whatever ids and numbers its message names. No stack, which changes
 * with every deployment.
 */
export function failureFingerprintOf({ direction, place, handler = '', reason, failures }: DeadLetter): Buffer {
  const error = failures.at(-1)?.errors[0] ?? { name: '', message: reason };
  const kind = error.message.slice(0, COMPARED).replace(VARIABLE, '#');
  const names = [direction, place, handler, error.name, kind];
  return createHash('sha256').update(JSON.stringify(names)).digest().subarray(0, 16);
}
