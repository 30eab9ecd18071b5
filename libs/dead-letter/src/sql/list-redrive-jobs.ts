import { type Store, table } from '@tidings/core';
import type { RedriveJob } from '../redrive-job';
import { JOB_COLUMNS, jobOf, type JobRow } from '../redrive-job-row';

/** A page of jobs, newest first. */
export async function listRedriveJobs(store: Store, before: string, limit: number): Promise<RedriveJob[]> {
  const { rows } = await store.query<JobRow>({
    text: `select ${JOB_COLUMNS} from ${table(store, 'redrive_job')} where id < $1::bigint order by ${table(store, 'redrive_job')}.id desc limit $2::int`,
    values: [before, limit],
  });
  return rows.map(jobOf);
}
