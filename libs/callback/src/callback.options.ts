import { parseOptions } from '@tidings/core';
import { z } from 'zod';

/** How the callback service goes about what is not confirmed. */
export const callbackServiceOptions = z.strictObject({
  /** After a recheck that finds confirmations missing, they have this long to come before the sender is asked. Default 1,000. */
  graceMs: z.number().int().min(0).default(1_000),
  /** The wait after the first question; doubled with each further one. Default 5,000. */
  againMs: z.number().int().min(1).default(5_000),
  /** … up to this. Default 600,000 (ten minutes). */
  maxAgainMs: z.number().int().min(1).default(600_000),
  /** After so many questions a message that is still not confirmed is a dead letter, "unconfirmed". Default 15: two hours, with the other defaults. */
  checks: z.number().int().min(1).default(15),
  /** How often a process looks for checks that are due. Default 1,000. */
  everyMs: z.number().int().min(1).default(1_000),
  /** Senders that are asked at once. Default 8. */
  concurrency: z.number().int().min(1).default(8),
  /** How long confirmations are kept: longer than a recheck may be on its way, the service's own outages included. Default 7 days. */
  retentionDays: z.number().int().min(1).max(3_650).default(7),
});

export type CallbackServiceOptions = z.input<typeof callbackServiceOptions>;
export type ResolvedCallbackServiceOptions = z.output<typeof callbackServiceOptions>;

/** How a service takes part: as a sender, as a consumer, or both. */
export const callbackOptions = z.strictObject({
  /**
   * How its handlers confirm. `outbox`: a message in the handler's own transaction, so that effect and confirmation are one. `direct`: sent when the
   * transaction has committed, many in one message, without a write; what a crash loses of them is found by the recheck, at the cost of a false alarm.
   * `off`: not at all, and its groups are not expected. Default `outbox`.
   */
  confirm: z.enum(['outbox', 'direct', 'off']).default('outbox'),
  /** Direct confirmations wait this long for others to go with. Default 20. */
  gatherMs: z.number().int().min(0).default(20),
  /**
   * How RecheckingPublisher sends, unless a call says otherwise.
   * - `before`: the recheck before the commit, the message after it. No write, and a sender's death in between is found.
   * - `together`: both after the commit: a sender that dies between the commit and them has lost the message, and nobody knows.
   * - `outbox`: both through the outbox: two rows, and the message is in the log to be sent again from.
   * Default `before`.
   */
  mode: z.enum(['before', 'together', 'outbox']).default('before'),
  /** The recheck comes this long after its message. Longer than transactions and handlers take. Default 10,000. */
  recheckAfterMs: z.number().int().min(1).default(10_000),
  /** False: this service sends nothing that is rechecked, and listens to nobody who asks it to send again. Default true. */
  sends: z.boolean().default(true),
});

export type CallbackOptions = z.input<typeof callbackOptions>;
export type ResolvedCallbackOptions = z.output<typeof callbackOptions>;
export type RecheckMode = ResolvedCallbackOptions['mode'];

/** @throws OptionsError */
export const checkCallbackServiceOptions = (options: CallbackServiceOptions): ResolvedCallbackServiceOptions =>
  parseOptions('callback', callbackServiceOptions, options);
