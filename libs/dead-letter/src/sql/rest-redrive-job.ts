import { type Store, table } from '@tidings/core';
import type { RedriveJobStatus, TakenRedriveJob } from '../redrive-job';
import { storableStory } from '../storable-text';

export interface JobRest {
  readonly status: Exclude<RedriveJobStatus, 'cancelled'>;
  /** When running: due again after this. */
  readonly afterMs?: number;
  readonly canaryPassed?: boolean;
  readonly detail?: string;
}

/** Lets go of a job: for a while, until a person resumes it, or for good. Nothing happens when it is no longer running, or another process has it. */
export async function restRedriveJob(
  store: Store,
  { id, epoch }: Pick<TakenRedriveJob, 'id' | 'epoch'>,
  { status, afterMs = 0, canaryPassed = false, detail }: JobRest,
): Promise<void> {
  await store.query({
    text: `update ${table(store, 'redrive_job')} set status = $3, detail = $4, canary_passed = canary_passed or $5::boolean,
        next_at = ${table(store, 'now')}() + make_interval(secs => $6::float8 / 1000),
        ended_at = case when $3 in ('done', 'stopped') then ${table(store, 'now')}() end
      where id = $1::bigint and epoch = $2::bigint and status = 'running'`,
    values: [id, epoch, status, detail === undefined ? null : storableStory(detail), canaryPassed, afterMs],
  });
}
