export { commitOnAccept } from './commit-on-accept';
export { InboxBuckets, type BucketAnswer, type DropReport } from './inbox-buckets';
export { digestOf, type InboxEntry, inboxEntryOf } from './inbox-entry';
export { FilteredInbox, type InboxFilter } from './inbox-filter';
export { inboxMiddleware, type InboxMiddlewareOptions } from './inbox.middleware';
export { checkInboxOptions, type InboxOptions } from './inbox.options';
export { InboxUnavailableError, type InboxOutcome, type InboxRefusal, type InboxStore } from './inbox-store';
export { inboxUpkeep } from './inbox-upkeep.task';
export type { BatchInboxStore, BatchOutcome, BatchWork } from './inbox-batch';
export { MemoryInbox } from './memory-inbox';
export { inboxMigrations } from './migrations';
export { PostgresInbox } from './postgres-inbox';
export { PostgresInboxBatch } from './postgres-inbox-batch';
export { storelessInboxMiddleware } from './storeless-inbox.middleware';
export {
  type SharedTransaction,
  type SharedTransactionsOptions,
  sharedTransactions,
  type SharedWork,
  type Verdict,
} from './shared-transactions';
