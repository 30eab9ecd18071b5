import type { Migration } from '@tidings/core';
import { createLog } from './sql/create-log';

/** The log's tables, in the order of their making. */
export const postgresLogMigrations: readonly Migration[] = [createLog];
