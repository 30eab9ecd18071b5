import type { Migration } from '@tidings/core';

/**
 * A redrive of many letters, whose progress survives the process that runs it.
 *
 * status: running ⇄ paused; running → done | stopped (a canary failed); running, paused → cancelled.
 * `next_at` is when a process may take the job: the end of another's lease, or of a wait. Each take-over raises `epoch`, and progress is guarded by it.
 * The cursor is (position, id) of the last letter that was dealt with; letters filed after the job began (`upto`) are not its own.
 */
export const createRedriveJobs: Migration = {
  id: 'dead-letter/0003-create-redrive-jobs',
  up: (s) => `
    create table ${s}.redrive_job (
      id bigint generated always as identity primary key,
      status text not null default 'running' check (status in ('running', 'paused', 'stopped', 'cancelled', 'done')),
      created_at timestamptz not null default ${s}.now(),
      ended_at timestamptz,
      by text not null, reason text not null,
      selection jsonb not null, -- a filter, or ids
      per_second double precision, canary int not null, outcome_wait_ms bigint not null,
      upto bigint not null,
      cursor_position bigint not null default 0, cursor_id bigint not null default 0,
      canaries bigint[] not null default '{}', canary_passed boolean not null,
      redriven bigint not null default 0, failed bigint not null default 0, skipped bigint not null default 0,
      held bigint not null default 0, -- kept back, because an earlier letter of their key failed again
      detail text,
      next_at timestamptz not null default ${s}.now(),
      epoch bigint not null default 0
    );
    create index redrive_job_running on ${s}.redrive_job (next_at, id) where status = 'running';`,
};
