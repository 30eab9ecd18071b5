import type { Migration } from '@tidings/core';

/**
 * What operators decided of subscriptions, one row each, never deleted: `changes` only grows, so that the sum over all rows tells a watcher whether
 * anything was decided since it looked, whatever order concurrent decisions commit in. The highest number of a sequence would not tell.
 */
export const createSubscriptionControl: Migration = {
  id: 'postgres-log/0004-create-subscription-control',
  up: (s) => `
    create table ${s}.subscription_control (
      topic text not null,
      group_name text not null,
      paused_at timestamptz, paused_by text, paused_reason text,
      concurrency int check (concurrency >= 1), concurrency_at timestamptz, concurrency_by text,
      changes bigint not null default 1,
      primary key (topic, group_name)
    );`,
};
