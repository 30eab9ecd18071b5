/**
 * How many retries there may be, of all processes together: a token bucket in the store. First attempts are not counted. It keeps the retries of an
 * outage from becoming a load of their own on what has just come back.
 */
export interface RetryBudget {
  /** Tokens that come back each second; may be less than 1. */
  readonly perSecond: number;
  /** Tokens that may be saved up, for retries in one go. Default: those of a second, at least 1. */
  readonly burst?: number;
  /** A retry waits for its token no longer than this; the budget gives way then. Default 86,400,000 (a day). */
  readonly maxWaitMs?: number;
  /** Subscriptions that name the same budget share it: those that call one partner, say. Default: each subscription has one of its own. */
  readonly name?: string;
}
