import type { Migration } from '@tidings/core';
import { createCallback } from './sql/create-callback';

/** The callback service's tables. Senders and consumers need none. */
export const callbackMigrations: readonly Migration[] = [createCallback];
