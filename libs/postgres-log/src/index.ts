export { DepartedBroadcastsReclaimer } from './departed-broadcasts.reclaimer';
export { DueMover } from './due-mover';
export { type LogEntry } from './log-entry';
export type { Deliver, LaneBatch, LoggedMessage } from './lane-batch';
export { LogReader, type LogReaderSetup } from './log-reader';
export { logReaderOptions, type LogReaderOptions, type ResolvedLogReaderOptions } from './log-reader.options';
export { type LogSignal, LogSignals } from './log-signals';
export { MessageLog, RELAY } from './message-log';
export type { LoggedIdentity } from './sql/find-message';
export { createLog } from './sql/create-log';
export { cancelDueMessage } from './sql/cancel-due-message';
export { type DueMessage, listDueMessages } from './sql/list-due-messages';
export { rescheduleDueMessage } from './sql/reschedule-due-message';
export {
  rotationOptions,
  type ResolvedRotationOptions,
  type RotationOptions,
  SegmentRotation,
} from './segment-rotation';
export { deleteReader } from './sql/delete-reader';
export { type DestinationRow, listDestinations } from './sql/list-destinations';
export { type Backlog } from './sql/measure-backlog';
export { logOf } from './log-of';
export { type ReadsLog, readsLog } from './reads-log';
export { checkSchema } from './check-schema';
export { SchemaError } from './schema.error';
export { controlChecks } from './control-checks';
export { SharedPace } from './shared-pace';
export type { DecidedNumber, SubscriptionControl } from './subscription-control';
export { SubscriptionControls } from './subscription-controls';
export type { SubscriptionName } from './subscription-name';
export { deleteDeadReaders } from './sql/delete-dead-readers';
export { postgresLogMigrations } from './migrations';
export { deleteExpiredReplies } from './sql/delete-expired-replies';
export { replyChannel } from './reply-channel';
export { insertReply } from './sql/insert-reply';
export { takeReplies } from './sql/take-replies';
export { insertNativeDeadLetter } from './sql/insert-native-dead-letter';
export { deleteNativeDeadLetter } from './sql/delete-native-dead-letter';
export { listNativeDeadLetters } from './sql/list-native-dead-letters';
