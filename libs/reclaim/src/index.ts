export { reclaimMigrations } from './migrations';
export { type ReclaimOptions, reclaimOptions, type ResolvedReclaimOptions } from './reclaim.options';
export { ReclaimScheduler, type ReclaimSchedulerSetup } from './reclaim-scheduler';
export type { ReclaimRun } from './sql/find-last-run';
