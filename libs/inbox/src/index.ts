export { commitOnAccept } from './commit-on-accept';
export { InboxBuckets, type BucketAnswer, type DropReport } from './inbox-buckets';
export { digestOf, type InboxEntry, inboxEntryOf } from './inbox-entry';
export { inboxMiddleware, type InboxMiddlewareOptions } from './inbox.middleware';
export { checkInboxOptions, type InboxOptions } from './inbox.options';
export { InboxUnavailableError, type InboxOutcome, type InboxStore } from './inbox-store';
export { inboxUpkeep } from './inbox-upkeep.task';
export { inboxMigrations } from './migrations';
export { PostgresInbox } from './postgres-inbox';
