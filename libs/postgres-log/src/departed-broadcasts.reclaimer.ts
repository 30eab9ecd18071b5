import type { Reclaimer, ReclaimReport, Store } from '@tidings/core';
import { deleteOrphans } from './sql/delete-orphans';
import { markOrphans } from './sql/mark-orphans';

const PAGE = 100;
/** In one run: a stop waits for the run, and the next one goes on. */
const PAGES = 50;
/** From the first run that finds a process gone to the one that forgets it. Longer than any process sleeps and wants to go on after. */
const GONE_MS = 3_600_000;

/**
 * Forgets processes of broadcast subscriptions that are gone, an hour after it found them so. Each start of one makes a destination, and readers, of its
 * own: the destination stayed after an orderly stop as well, the readers after a crash, and what was addressed to either kept segments of the log
 * from being emptied. Lanes of other subscriptions need no Reclaimer: whoever is there takes them when their lease is over, and clears memberships away.
 */
export class DepartedBroadcastsReclaimer implements Reclaimer {
  readonly name = 'broadcast subscriptions';

  constructor(private readonly store: Store) {}

  async reclaim(): Promise<ReclaimReport> {
    await markOrphans(this.store, PAGE * PAGES);
    let forgotten = 0;
    for (let page = 0; page < PAGES; page++) {
      const deleted = await deleteOrphans(this.store, GONE_MS, PAGE);
      forgotten += deleted;
      if (deleted < PAGE) break;
    }
    return { name: this.name, reclaimed: forgotten };
  }
}
