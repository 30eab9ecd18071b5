import { type Store, table } from '@tidings/core';
import type { LetterSelection, RedriveJob, RedriveJobOptions } from '../redrive-job';
import { JOB_COLUMNS, jobOf, type JobRow } from '../redrive-job-row';
import { redriveChannel } from '../redrive-channel';
import { storable, storableStory } from '../storable-text';

/** What a job begins with. */
export type NewRedriveJob = Required<Omit<RedriveJobOptions, 'perSecond'>> & { readonly perSecond: number | null };

/** Due at once; workers are told. */
export async function insertRedriveJob(
  store: Store,
  selection: LetterSelection,
  { by, reason, canary, perSecond, outcomeWaitMs }: NewRedriveJob,
): Promise<RedriveJob> {
  const { rows } = await store.query<JobRow>({
    text: `insert into ${table(store, 'redrive_job')} (by, reason, selection, per_second, canary, canary_passed, outcome_wait_ms, upto)
      select $1, $2, $3::jsonb, $4::float8, $5::int, $5::int = 0, $6::bigint, coalesce((select max(id) from ${table(store, 'dead_letter')}), 0)
      returning ${JOB_COLUMNS}, pg_notify($7, '')`,
    values: [
      storable(by),
      storableStory(reason),
      storable(JSON.stringify(selection)),
      perSecond,
      canary,
      outcomeWaitMs,
      redriveChannel(store),
    ],
  });
  return jobOf(rows[0]!);
}
