/**
 * What becomes of a delivery. A closed union, decided by the chain; only the transport turns it into a native ack.
 *
 * - `accept`: done; never deliver it to this group again. `buried`: it is a dead letter by now, for this reason; done for its transport, not for its key.
 * - `retry`: deliver it again after `afterMs`. `counted: false` leaves the attempt as it was (nobody tried in earnest).
 * - `reject`: it can never succeed; the transport files it as a dead letter of its own, with the reason.
 * - `park`: it cannot be handled for now and must not get lost or block other keys. A transport without parking retries it, uncounted.
 * - `release`: this process is stopping; hand it to another consumer at once, no attempt counted.
 */
export type Settlement =
  | { readonly kind: 'accept'; readonly buried?: string }
  | {
      readonly kind: 'retry';
      readonly afterMs: number;
      readonly counted: boolean;
      /** How many attempts the delivery made, when it was more than one: the next one's number is so much higher. */
      readonly attempts?: number;
      readonly error?: Error;
    }
  | { readonly kind: 'reject'; readonly reason: string; readonly error?: Error }
  | { readonly kind: 'park'; readonly reason: string; readonly error?: Error }
  | { readonly kind: 'release' };

export const accept: Settlement = Object.freeze({ kind: 'accept' });
export const release: Settlement = Object.freeze({ kind: 'release' });
export const retry = (afterMs: number, options: { counted?: boolean; error?: Error } = {}): Settlement => ({
  kind: 'retry',
  afterMs,
  counted: options.counted ?? true,
  ...(options.error && { error: options.error }),
});
export const reject = (reason: string, error?: Error): Settlement => ({
  kind: 'reject',
  reason,
  ...(error && { error }),
});
export const park = (reason: string, error?: Error): Settlement => ({ kind: 'park', reason, ...(error && { error }) });

/** By how much the attempt of the next delivery is higher. */
export const attemptsIn = ({
  counted,
  attempts = 1,
}: {
  readonly counted: boolean;
  readonly attempts?: number;
}): number => (counted ? attempts : 0);

/** How long a transport without parking waits before it offers a parked message again. */
export const PARK_RETRY_MS = 30_000;

/** A settlement after which the message comes again. */
export type Again = Extract<Settlement, { kind: 'retry' | 'park' }>;

/** What it means to a transport without parking, where a parked message is retried, uncounted. */
export const againOf = (settlement: Again): { readonly afterMs: number; readonly made: number } =>
  settlement.kind === 'park'
    ? { afterMs: PARK_RETRY_MS, made: 0 }
    : { afterMs: settlement.afterMs, made: attemptsIn(settlement) };

const isText = (value: unknown): boolean => typeof value === 'string';

const SHAPES: Readonly<Record<Settlement['kind'], (fields: Readonly<Record<string, unknown>>) => boolean>> = {
  accept: () => true,
  release: () => true,
  retry: ({ afterMs, counted }) => typeof afterMs === 'number' && typeof counted === 'boolean',
  reject: ({ reason }) => isText(reason),
  park: ({ reason }) => isText(reason),
};

/** A handler may return a settlement or anything else: an entity with a `kind` of its own is no settlement. */
export function isSettlement(value: unknown): value is Settlement {
  if (typeof value !== 'object' || value === null || !('kind' in value) || typeof value.kind !== 'string') return false;
  return Object.hasOwn(SHAPES, value.kind) && SHAPES[value.kind as Settlement['kind']](value);
}
