import type { Migration } from '@tidings/core';

/** By age, for the Reclaimer: what is left in `attempt` by messages that never came back, and redrive jobs that ended. */
export const createReclaimIndexes: Migration = {
  id: 'dead-letter/0005-create-reclaim-indexes',
  up: (s) => `
    create index attempt_age on ${s}.attempt (began_at);
    create index redrive_job_ended on ${s}.redrive_job (ended_at, id) where ended_at is not null;`,
};
