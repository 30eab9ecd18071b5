import type { Migration } from '@tidings/core';
import { createInbox } from './sql/create-inbox';

/** The inbox's tables, in the order of their making. */
export const inboxMigrations: readonly Migration[] = [createInbox];
