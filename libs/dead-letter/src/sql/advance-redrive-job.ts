import { type Store, table } from '@tidings/core';
import type { JobCursor, RedriveJobStatus, TakenRedriveJob } from '../redrive-job';

export interface JobAdvance {
  readonly cursor: JobCursor;
  readonly what: 'redriven' | 'failed' | 'skipped' | 'held' | 'nothing';
  /** For how long nobody else may take the job. */
  readonly leaseMs: number;
}

/**
 * Moves a job past a letter, and marks that letter redriven with it, so that whoever goes on after a crash counts it neither twice nor not at all.
 * Counts also when a person has paused or cancelled the job meanwhile, and answers its status; undefined when another process has taken it: the letter
 * is marked all the same, for it was sent.
 */
export async function advanceRedriveJob(
  store: Store,
  { id, epoch }: Pick<TakenRedriveJob, 'id' | 'epoch'>,
  { cursor, what, leaseMs }: JobAdvance,
): Promise<RedriveJobStatus | undefined> {
  const { rows } = await store.query<{ status: RedriveJobStatus }>({
    text: `with settled as (
        update ${table(store, 'dead_letter')} set status = 'redriven', settled_at = ${table(store, 'now')}(), redrive_job = $1::bigint
         where $5 = 'redriven' and id = $4::bigint and status = 'redriving')
      update ${table(store, 'redrive_job')} set cursor_position = $3::bigint, cursor_id = $4::bigint, detail = null,
          redriven = redriven + ($5 = 'redriven')::int, failed = failed + ($5 = 'failed')::int,
          skipped = skipped + ($5 = 'skipped')::int, held = held + ($5 = 'held')::int,
          canaries = case when $5 = 'redriven' and cardinality(canaries) < canary then canaries || $4::bigint else canaries end,
          next_at = ${table(store, 'now')}() + make_interval(secs => $6::float8 / 1000)
       where id = $1::bigint and epoch = $2::bigint
       returning status`,
    values: [id, epoch, cursor.position, cursor.id, what, leaseMs],
  });
  return rows[0]?.status;
}
