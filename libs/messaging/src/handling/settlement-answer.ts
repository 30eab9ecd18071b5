import type { Settlement } from '@tidings/core';

/**
 * A handler's or a filter's answer as a settlement, or undefined. Strict, for a handler may well return its entity, and an entity may well have a
 * `kind`: only the shapes that `accept`, `retry()`, `reject()`, `park()` and `release` make are taken for one.
 */
export function settlementAnswer(answer: unknown): Settlement | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { kind, afterMs, counted, reason } = answer as Record<string, unknown>;
  switch (kind) {
    case 'accept':
    case 'release':
      return Object.keys(answer).length === 1 ? (answer as Settlement) : undefined;
    case 'retry':
      return typeof afterMs === 'number' && typeof counted === 'boolean' ? (answer as Settlement) : undefined;
    case 'reject':
    case 'park':
      return typeof reason === 'string' ? (answer as Settlement) : undefined;
    default:
      return undefined;
  }
}
