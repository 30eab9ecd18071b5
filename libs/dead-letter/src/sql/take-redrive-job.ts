import { type Store, table } from '@tidings/core';
import type { TakenRedriveJob } from '../redrive-job';
import { JOB_COLUMNS, type JobRow, takenJobOf } from '../redrive-job-row';

/** Takes the running job that has been due for longest, for `leaseMs`; whoever had it before can no longer move it. */
export async function takeRedriveJob(store: Store, leaseMs: number): Promise<TakenRedriveJob | undefined> {
  const { rows } = await store.query<JobRow>({
    text: `update ${table(store, 'redrive_job')} set epoch = epoch + 1, next_at = ${table(store, 'now')}() + make_interval(secs => $1::float8 / 1000)
      where id = (select id from ${table(store, 'redrive_job')} where status = 'running' and next_at <= ${table(store, 'now')}()
        order by next_at, id limit 1 for update skip locked) and status = 'running'
      returning ${JOB_COLUMNS}`,
    values: [leaseMs],
  });
  return rows[0] && takenJobOf(rows[0]);
}
