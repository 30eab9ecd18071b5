import type { Migration } from '@tidings/core';
import { createDeadLetters } from './sql/create-dead-letters';

/** The dead letters' tables, in the order of their making. */
export const deadLetterMigrations: readonly Migration[] = [createDeadLetters];
