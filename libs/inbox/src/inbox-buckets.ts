import type { Store } from '@tidings/core';
import { type CheckedInboxOptions, checkInboxOptions, type InboxOptions } from './inbox.options';
import { createBucket } from './sql/create-bucket';
import { deleteForeignEntries } from './sql/delete-foreign-entries';
import { dropBucket } from './sql/drop-bucket';
import { listExpiredBuckets } from './sql/list-expired-buckets';
import { raiseHorizon } from './sql/raise-horizon';
import { readHorizon } from './sql/read-horizon';
import { SQL_STATE, sqlStateOf } from './sql-state';

const FOREIGN_PAGE = 1_000;

export interface DropReport {
  /** Buckets dropped, as YYYY-MM-DD. */
  readonly dropped: readonly string[];
  /** Buckets that a handler still uses: the next run drops them. */
  readonly busy: readonly string[];
  readonly foreignDeleted: number;
}

/** What came of asking for a bucket's table. */
export type BucketAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'outside'; readonly horizon: string }
  | { readonly kind: 'unfit'; readonly problem: string };

/** The inbox's tables: one a day, made ahead and on demand, dropped when they are past the retention. Needs CREATE on Tidings' schema. */
export class InboxBuckets {
  readonly #options: CheckedInboxOptions;
  /** By bucket, while its table is being made: a rush of messages of a new day asks the database once. */
  readonly #making = new Map<string, Promise<BucketAnswer>>();

  constructor(
    private readonly store: Store,
    options: InboxOptions = {},
  ) {
    this.#options = checkInboxOptions(options);
  }

  /** Makes today's and tomorrow's buckets, so that midnight costs no message anything. Idempotent, safe from several processes at once. */
  async prepare(): Promise<void> {
    const { today, tomorrow } = await this.#horizon();
    for (const bucket of [today, tomorrow]) await createBucket(this.store, bucket);
  }

  /** Makes one bucket (`isDay`), unless it is outside of what the inbox files. Concurrent calls for one bucket share the work. */
  demand(bucket: string): Promise<BucketAnswer> {
    let answer = this.#making.get(bucket);
    if (!answer) {
      answer = this.#make(bucket).finally(() => this.#making.delete(bucket));
      this.#making.set(bucket, answer);
    }
    return answer;
  }

  /**
   * Gives up what is older than the retention: first the horizon is raised and committed, so that nothing of those buckets is handled any more, then
   * they are dropped, each by itself. Idempotent; safe from several processes at once and beside handlers.
   */
  async dropExpired(): Promise<DropReport> {
    const { retentionDays } = this.#options;
    await raiseHorizon(this.store, retentionDays);
    const dropped: string[] = [];
    const busy: string[] = [];
    for (const bucket of await listExpiredBuckets(this.store)) {
      try {
        await dropBucket(this.store, bucket);
        dropped.push(bucket);
      } catch (thrown) {
        if (sqlStateOf(thrown) !== SQL_STATE.lockTimeout) throw thrown;
        busy.push(bucket);
      }
    }
    let foreignDeleted = 0;
    for (let page = FOREIGN_PAGE; page === FOREIGN_PAGE; foreignDeleted += page) {
      page = await deleteForeignEntries(this.store, retentionDays, FOREIGN_PAGE);
    }
    return { dropped, busy, foreignDeleted };
  }

  async #make(bucket: string): Promise<BucketAnswer> {
    const { oldest, newest } = await this.#horizon();
    if (bucket < oldest) return { kind: 'outside', horizon: oldest };
    if (bucket > newest) {
      return { kind: 'unfit', problem: `bucket: expected ${newest} at the latest (aheadDays), found ${bucket}` };
    }
    await createBucket(this.store, bucket);
    return { kind: 'ready' };
  }

  #horizon(): ReturnType<typeof readHorizon> {
    return readHorizon(this.store, this.#options.retentionDays, this.#options.aheadDays);
  }
}
