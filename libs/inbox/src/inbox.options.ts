import { OptionsError, parseOptions } from '@tidings/core';
import { z } from 'zod';

export interface InboxOptions {
  /** Days for which a message is remembered, counted from its bucket. Older ones are dead-lettered, never handled blindly. Default 30. */
  readonly retentionDays?: number;
  /**
   * The longest time after which a copy may still come: retries, rechecks, resends, a consumer that is switched off. A retention shorter than that is
   * refused. Default 0: unknown.
   */
  readonly longestReturnMs?: number;
  /** Buckets further ahead are refused: each is a table, and a sender's clock may be wrong by years. Must cover the longest delay. Default 400. */
  readonly aheadDays?: number;
  /** How long a message waits for a copy that is being handled. It holds a connection of the user's pool meanwhile. Default 1,000. */
  readonly lockTimeoutMs?: number;
  /** After that, and after a failure to reach the store, the message comes again, uncounted, after this time. Default 1,000. */
  readonly againAfterMs?: number;
}

export type CheckedInboxOptions = Required<InboxOptions>;

const DAY_MS = 86_400_000;

const schema = z.strictObject({
  retentionDays: z.int().min(1).max(36_500).default(30),
  longestReturnMs: z.number().min(0).default(0),
  aheadDays: z.int().min(1).max(36_500).default(400),
  lockTimeoutMs: z.int().min(1).max(600_000).default(1_000), // 0 would mean: wait for ever
  againAfterMs: z.int().min(0).max(3_600_000).default(1_000),
});

/** @throws OptionsError that names the bad option below `inbox`. */
export function checkInboxOptions(options: InboxOptions = {}): CheckedInboxOptions {
  const checked = parseOptions('inbox', schema, options);
  // Published in the last second of its bucket's day, a message is still remembered for whole `retentionDays`: that day itself does not count.
  if (checked.longestReturnMs > checked.retentionDays * DAY_MS) {
    const needed = Math.ceil(checked.longestReturnMs / DAY_MS);
    throw new OptionsError(
      'inbox.retentionDays',
      `expected at least ${needed}, for a copy may come after ${checked.longestReturnMs} ms (longestReturnMs), found ` +
        `${checked.retentionDays}; a copy of a forgotten message would not be handled but dead-lettered`,
    );
  }
  return checked;
}
