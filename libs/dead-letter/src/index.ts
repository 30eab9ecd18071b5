export { type AttemptLedger, postgresAttempts } from './attempt-ledger';
export { LetterEditError, LetterImportError, RedriveError } from './dead-letter.errors';
export { deadLetterMiddleware, type DeadLetterMiddlewareOptions } from './dead-letter.middleware';
export { DeadLetterReclaimer } from './dead-letter.reclaimer';
export {
  type DeadLetterRetentionOptions,
  deadLetterRetentionOptions,
  type ResolvedDeadLetterRetentionOptions,
} from './dead-letter-retention.options';
export type {
  DeadLetters,
  Decision,
  DiscardResult,
  EditOptions,
  EditResult,
  FailureStory,
  ImportReport,
  ListOptions,
  PurgeReport,
  RedriveResult,
  SealGeneration,
  Unchanged,
} from './dead-letters';
export type { LetterFilter, LetterStatus } from './letter-filter';
export type { GroupedBy, GroupOptions, LetterGroup } from './letter-group';
export type { LetterIdentity } from './letter-key';
export type { FoundLetter, PublisherOf, RedriveOfJob } from './letter-redrive';
export { deadLetterMigrations } from './migrations';
export {
  type PoisonMiddlewareOptions,
  type PoisonMiddlewares,
  poisonMiddlewares,
  type PoisonOptions,
} from './poison.middleware';
export { type LetterTable, postgresLetters } from './letter-table';
export { memoryLetters } from './memory-letters';
export { postgresRedrives, type RedrivenLetters, type RedriveJobTable, type RedriveTable } from './redrive-table';
export { PostgresDeadLetters } from './postgres-dead-letters';
export type { LetterSelection, RedriveJob, RedriveJobOptions, RedriveJobStatus } from './redrive-job';
export { RedriveJobs } from './redrive-jobs';
export type { HandledMessage, RedriveOutcome } from './redrive-outcome';
export { RedriveWorker, type RedriveWorkerParts } from './redrive-worker';
export {
  RETRY_BUDGET_WAIT_MS,
  retryBudgetMiddleware,
  type RetryBudgetMiddlewareOptions,
} from './retry-budget.middleware';
export { checkConstraints } from './sql/check-constraints';
export { messageOf, TableDeadLetters, type TableDeadLettersOptions } from './table-dead-letters';
export type { AuditEntry, LetterSummary, StoredLetter } from './stored-letter';
