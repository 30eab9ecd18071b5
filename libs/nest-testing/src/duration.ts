import { OptionsError } from '@tidings/core';

/** Milliseconds, or a number with its unit: `'250ms'`, `'30s'`, `'15m'`, `'1h'`, `'2d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws OptionsError below `subject`. */
export function millisOf(subject: string, duration: Duration): number {
  const [, count, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(String(duration)) ?? [];
  if (count !== undefined) return Number(count) * UNITS[unit]!;
  throw new OptionsError(subject, `expected milliseconds from 0 or a text such as '1h', found ${JSON.stringify(duration)}`); // prettier-ignore
}
