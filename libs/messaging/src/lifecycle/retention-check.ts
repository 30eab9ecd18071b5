import { checkInboxOptions, type InboxOptions } from '@tidings/inbox';
import { RETRY_BUDGET_WAIT_MS } from '@tidings/dead-letter';
import type { PlannedSubscription } from '../handling/subscription-plan';

/**
 * Refuses an inbox that forgets a message sooner than the slowest handler may still retry it. A policy without an end has no such time: what it
 * retries past the retention is dead-lettered as outside the horizon, never handled twice.
 *
 * @throws OptionsError that names `inbox.retentionDays` and what is needed.
 */
export function checkRetention(inbox: InboxOptions | undefined, planned: readonly PlannedSubscription[]): void {
  const delays = planned
    .flatMap(({ handlers }) => handlers)
    .filter(({ level }) => level === 'effectivelyOnce')
    .map(({ retry, retryBudget, subscription }) =>
      retryBudget
        ? (retry.longestMs ?? 0) + (subscription.attempts ?? 1) * (retryBudget.maxWaitMs ?? RETRY_BUDGET_WAIT_MS)
        : (retry.longestMs ?? 0),
    )
    .filter(Number.isFinite);
  checkInboxOptions({ ...inbox, longestReturnMs: Math.max(inbox?.longestReturnMs ?? 0, ...delays) });
}
