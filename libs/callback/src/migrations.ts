import type { Migration } from '@tidings/core';
import { createCallback } from './sql/create-callback';
import { createNonces } from './sql/create-nonces';

/** The callback service's tables, and what a sender keeps that is asked by HTTP. */
export const callbackMigrations: readonly Migration[] = [createCallback, createNonces];
