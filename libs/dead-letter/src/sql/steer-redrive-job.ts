import { type Store, table } from '@tidings/core';
import { redriveChannel } from '../redrive-channel';
import type { RedriveJobStatus } from '../redrive-job';

/**
 * A person's wish: moves a job to another status when it is in one of `from`. A job that is resumed after its canaries showed no outcome takes them
 * for passed, and is due at once; workers are told. False when it is in none of them.
 */
export async function steerRedriveJob(
  store: Store,
  id: string,
  from: readonly RedriveJobStatus[],
  to: 'running' | 'paused' | 'cancelled',
): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `update ${table(store, 'redrive_job')} set status = $3, detail = null, next_at = ${table(store, 'now')}(),
        canary_passed = canary_passed or ($3 = 'running' and detail is not null and cardinality(canaries) > 0),
        ended_at = case when $3 = 'cancelled' then ${table(store, 'now')}() end
      where id = $1::bigint and status = any($2::text[]) returning pg_notify($4, '')`,
    values: [id, from, to, redriveChannel(store)],
  });
  return rowCount === 1;
}
