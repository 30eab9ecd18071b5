import type { Migration } from '@tidings/core';
import { createReclaim } from './sql/create-reclaim';

/** The scheduler's table. */
export const reclaimMigrations: readonly Migration[] = [createReclaim];
