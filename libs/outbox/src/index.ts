export type { Destination, Routes } from './destination';
export {
  type BoundOutbox,
  Outbox,
  type OutboxLog,
  type OutboxPublishOptions,
  type OutboxSetup,
  type PrepareOptions,
  type Publication,
} from './outbox';
export { type AskBack, CheckBack, type CheckBackAnswer, type CheckBackSetup } from './check-back';
export { type CheckBackOptions, checkBackOptions, type ResolvedCheckBackOptions } from './check-back.options';
export { MemoryControls } from './memory-controls';
export { MemoryLog, type UnsentMessage } from './memory-log';
export { MemoryPrepared } from './memory-prepared';
export { MemoryRelay, type MemoryRelaySetup } from './memory-relay';
export { outboxMigrations } from './migrations';
export { HeldMessages, type HeldMessagesSetup } from './held-messages';
export { AlreadyPreparedError, HeldByBrokerError, PreparedDecisionError } from './prepared.errors';
export type { PreparedTable } from './prepared-table';
export { type DecideOptions, type PreparedMessage, PreparedMessages } from './prepared-messages';
export type { PreparedStatus, UndecidedMessage } from './prepared-row';
export { type Schedule, ScheduledMessages } from './scheduled-messages';
export { OutboxRelay, type OutboxRelaySetup } from './outbox-relay';
export { type OutboxRelayOptions, outboxRelayOptions } from './outbox-relay.options';
// Whoever builds an outbox needs its log; the Nest edge knows the outbox only.
export {
  checkSchema,
  DepartedBroadcastsReclaimer,
  logOf,
  type MessageLog,
  postgresLogMigrations,
} from '@tidings/postgres-log';
export {
  type DecidedNumber,
  SharedPace,
  type SubscriptionControl,
  SubscriptionControls,
  type SubscriptionName,
} from '@tidings/postgres-log';
