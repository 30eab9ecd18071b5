export type { Destination, Routes } from './destination';
export { type BoundOutbox, Outbox, type OutboxPublishOptions, type OutboxSetup, type Publication } from './outbox';
export { type Schedule, ScheduledMessages } from './scheduled-messages';
export { OutboxRelay, type OutboxRelaySetup } from './outbox-relay';
export { type OutboxRelayOptions, outboxRelayOptions } from './outbox-relay.options';
// Whoever builds an outbox needs its log; the Nest edge knows the outbox only.
export { checkSchema, logOf, type MessageLog, postgresLogMigrations } from '@tidings/postgres-log';
