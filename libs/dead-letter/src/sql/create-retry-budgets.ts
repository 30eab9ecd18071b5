import type { Migration } from '@tidings/core';

/**
 * `retry_budget` has a row for each budget that was ever drawn upon: the time of its next free token. Tokens that were not used are those since then,
 * `burst` at most (the virtual scheduling of GCRA, ITU-T I.371): one number says how many are there and, when none is, how long one waits for his.
 * Rows are few and one is updated at each failure, so half of a page is left free for its next versions, and no index but the key's is in their way.
 */
export const createRetryBudgets: Migration = {
  id: 'dead-letter/0006-create-retry-budgets',
  up: (s) => `
    create table ${s}.retry_budget (
      name text primary key,
      next_at timestamptz not null
    ) with (fillfactor = 50);`,
};
