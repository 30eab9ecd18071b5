import { type Store, table } from '@tidings/core';
import type { RedriveJob } from '../redrive-job';
import { JOB_COLUMNS, jobOf, type JobRow } from '../redrive-job-row';

export async function findRedriveJob(store: Store, id: string): Promise<RedriveJob | undefined> {
  const { rows } = await store.query<JobRow>({
    text: `select ${JOB_COLUMNS} from ${table(store, 'redrive_job')} where id = $1::bigint`,
    values: [id],
  });
  return rows[0] && jobOf(rows[0]);
}
