import { type Clock, PeriodicTask, type TidingsLogger } from '@tidings/core';
import type { InboxBuckets } from './inbox-buckets';

/** A bucket that was busy is tried again after this. */
const BUSY_AGAIN_MS = 60_000;

/** Makes the next buckets and drops the expired ones, hourly: any time of the day will do, and a run that failed has 23 more. */
export const inboxUpkeep = (buckets: InboxBuckets, clock: Clock, logger: TidingsLogger): PeriodicTask =>
  new PeriodicTask({
    name: 'inbox upkeep',
    everyMs: 3_600_000,
    clock,
    logger,
    async runOnce() {
      await buckets.prepare();
      const report = await buckets.dropExpired();
      if (report.dropped.length + report.busy.length + report.foreignDeleted > 0) {
        logger.info(report, 'inbox: gave up what is older than its retention');
      }
      if (report.busy.length > 0) return { nextMs: BUSY_AGAIN_MS };
    },
  });
