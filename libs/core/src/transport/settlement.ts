/**
 * What becomes of a delivery. A closed union, decided by the chain; only the transport turns it into a native ack.
 *
 * - `accept`: done; never deliver it to this group again.
 * - `retry`: deliver it again after `afterMs`. `counted: false` leaves the attempt as it was (nobody tried in earnest).
 * - `reject`: it can never succeed; the transport files it as a dead letter of its own, with the reason.
 * - `park`: it cannot be handled for now and must not get lost or block other keys. A transport without parking retries it, uncounted.
 * - `release`: this process is stopping; hand it to another consumer at once, no attempt counted.
 */
export type Settlement =
  | { readonly kind: 'accept' }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly counted: boolean; readonly error?: Error }
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

/** How long a transport without parking waits before it offers a parked message again. */
export const PARK_RETRY_MS = 30_000;
