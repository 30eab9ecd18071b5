import type { Migration } from '@tidings/core';
import { createParkedKeys } from './sql/create-parked-keys';
import { createParkingFunctions } from './sql/create-parking-functions';

/** The tables of parked keys, in the order of their making. */
export const parkedKeysMigrations: readonly Migration[] = [createParkedKeys, createParkingFunctions];
