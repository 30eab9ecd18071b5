import type { Migration } from '@tidings/core';
import { alterLettersForPeople } from './sql/alter-letters-for-people';
import { createAttempts } from './sql/create-attempts';
import { createDeadLetters } from './sql/create-dead-letters';
import { createReclaimIndexes } from './sql/create-reclaim-indexes';
import { createRedriveJobs } from './sql/create-redrive-jobs';
import { createRetryBudgets } from './sql/create-retry-budgets';

/** The dead letters' tables, in the order of their making. */
export const deadLetterMigrations: readonly Migration[] = [
  createDeadLetters,
  alterLettersForPeople,
  createRedriveJobs,
  createAttempts,
  createReclaimIndexes,
  createRetryBudgets,
];
