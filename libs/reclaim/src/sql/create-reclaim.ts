import type { Migration } from '@tidings/core';

/** One row: who runs the Reclaimers of this store, until when, and what the last run did. */
export const createReclaim: Migration = {
  id: 'reclaim/0001-create-reclaim',
  up: (s) => `
    create table ${s}.reclaim (
      single boolean primary key default true check (single),
      owner text, lease_until timestamptz not null default '-infinity',
      started_at timestamptz, finished_at timestamptz,
      due_at timestamptz not null default '-infinity',
      reports jsonb
    );
    insert into ${s}.reclaim default values;`,
};
