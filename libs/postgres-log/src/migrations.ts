import type { Migration } from '@tidings/core';
import { alterControlForKeys } from './sql/alter-control-for-keys';
import { alterDestinationOrphaned } from './sql/alter-destination-orphaned';
import { createIncarnation } from './sql/create-incarnation';
import { createLog } from './sql/create-log';
import { createRateBuckets } from './sql/create-rate-buckets';
import { createReplies } from './sql/create-replies';
import { createRotation } from './sql/create-rotation';
import { createSubscriptionControl } from './sql/create-subscription-control';

/** The log's tables, in the order of their making. */
export const postgresLogMigrations: readonly Migration[] = [
  createLog,
  createRotation,
  createIncarnation,
  createSubscriptionControl,
  createReplies,
  alterDestinationOrphaned,
  alterControlForKeys,
  createRateBuckets,
];
