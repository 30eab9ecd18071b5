import type { MigrationInterface } from 'typeorm';
import { CreateGiftApi1763700000001 } from './1763700000001-create-gift-api';
import { CreateRanking1763700000002 } from './1763700000002-create-ranking';
import { CreateRevenueShare1763700000003 } from './1763700000003-create-revenue-share';
import { CreateBadges1763700000004 } from './1763700000004-create-badges';
import { CreateHistory1763700000005 } from './1763700000005-create-history';
import { CreateAchievements1763700000006 } from './1763700000006-create-achievements';

/** The demo's own tables, one schema an app, oldest first. Append only: an applied one is never changed. */
export const demoMigrations: readonly (new () => MigrationInterface)[] = [
  CreateGiftApi1763700000001,
  CreateRanking1763700000002,
  CreateRevenueShare1763700000003,
  CreateBadges1763700000004,
  CreateHistory1763700000005,
];

/** Of achievements' own database. */
export const achievementsMigrations: readonly (new () => MigrationInterface)[] = [CreateAchievements1763700000006];
