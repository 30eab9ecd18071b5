import type { Reclaimer, ReclaimReport, Store } from '@tidings/core';
import type { ResolvedDeadLetterRetentionOptions } from './dead-letter-retention.options';
import { deleteEndedJobs } from './sql/delete-ended-jobs';
import { deleteOldAttempts } from './sql/delete-old-attempts';
import { deleteOldFailures } from './sql/delete-old-failures';
import { deleteSettledLetters } from './sql/delete-settled-letters';

type DeletePage = (store: Store, olderThanMs: number, limit: number) => Promise<number>;

const PAGE = 1_000;
/** In one run, of each kind: a stop waits for the run, and the next one goes on. */
const PAGES = 50;

/** Forgets what is past its retention: see DeadLetterRetentionOptions. */
export class DeadLetterReclaimer implements Reclaimer {
  readonly name = 'dead letters';

  constructor(
    private readonly store: Store,
    private readonly options: ResolvedDeadLetterRetentionOptions,
  ) {}

  async reclaim(): Promise<ReclaimReport> {
    const { settledRetentionMs, unfinishedRetentionMs, jobRetentionMs } = this.options;
    const detail = {
      letters: settledRetentionMs === undefined ? 0 : await this.#inPages(deleteSettledLetters, settledRetentionMs),
      failures: await this.#inPages(deleteOldFailures, unfinishedRetentionMs),
      attempts: await this.#inPages(deleteOldAttempts, unfinishedRetentionMs),
      jobs: await this.#inPages(deleteEndedJobs, jobRetentionMs),
    };
    return { name: this.name, reclaimed: 0, detail };
  }

  async #inPages(deletePage: DeletePage, olderThanMs: number): Promise<number> {
    let all = 0;
    for (let page = 0; page < PAGES; page++) {
      const deleted = await deletePage(this.store, olderThanMs, PAGE);
      all += deleted;
      if (deleted < PAGE) break;
    }
    return all;
  }
}
