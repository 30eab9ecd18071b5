import type { Migration } from '@tidings/core';

/** How many messages of one key may run at once, as operators decided. Only adds: the version before reads on. */
export const alterControlForKeys: Migration = {
  id: 'postgres-log/0007-alter-control-for-keys',
  up: (s) => `
    alter table ${s}.subscription_control add column key_concurrency int check (key_concurrency >= 1),
      add column key_concurrency_at timestamptz, add column key_concurrency_by text;`,
};
