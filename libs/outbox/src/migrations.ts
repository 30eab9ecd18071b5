import type { Migration } from '@tidings/core';
import { createPrepared } from './sql/create-prepared';

/** The outbox's own tables; the log's are @tidings/postgres-log's, and come first. */
export const outboxMigrations: readonly Migration[] = [createPrepared];
