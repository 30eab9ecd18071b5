export { BacklogGate, backlogGate } from './backlog/backlog.gate';
export type { BacklogGateOptions } from './backlog/backlog-gate.options';
export { BacklogGauge } from './backlog/backlog-gauge';
export { BacklogGauges } from './backlog/backlog-gauges';
export { messagingMigrations } from './messaging-runtime';
export { Compensate, type CompensateOptions } from './decorators/compensate.decorator';
export { getDeadLettersToken, InjectDeadLetters } from './decorators/inject-dead-letters.decorator';
export { getOutboxToken, InjectOutbox } from './decorators/inject-outbox.decorator';
export { getReclaimToken, InjectReclaim } from './decorators/inject-reclaim.decorator';
export { InjectPublisher } from './decorators/inject-publisher.decorator';
export { InjectRequester } from './decorators/inject-requester.decorator';
export { Ctx, Headers, type ParamPipe, Payload } from './decorators/message-params.decorator';
export { OnCheckBack, type OnCheckBackOptions } from './decorators/on-check-back.decorator';
export {
  type GatherOptions,
  OnMessage,
  type OnMessageOptions,
  type RateScope,
} from './decorators/on-message.decorator';
export { OnMessages, type OnMessagesOptions } from './decorators/on-messages.decorator';
export { OnRequest, type OnRequestOptions } from './decorators/on-request.decorator';
export { BatchError } from './handling/batch.error';
export { BatchContext, type BatchItem } from './handling/batch-context';
export type { Expectation, MissingGroup } from './publishing/expectation';
export { MessagingHealth, type MessagingHealthReport, type RelayHealth } from './lifecycle/messaging-health';
export { type SubscriptionAddress, Subscriptions } from './lifecycle/subscriptions';
export { MessagingConfigurationError, PublishFailedError, type UnconfirmedMessage } from './messaging.errors';
export type { CircuitOptions } from './lifecycle/subscription-circuit';
export { MessagingModule } from './messaging.module';
export type { MessagingExtras } from './messaging.module-definition';
export type { MessagingOptions, Migrate, Role } from './messaging.options';
export { MESSAGING_SUBSTITUTES, type MessagingSubstitutes, type WatchedLog } from './messaging.substitutes';
export { nestLogger } from './nest.logger';
export { ApplicationDeadLetters, type DryRunOptions } from './publishing/application-dead-letters';
export type { DryRunResult } from './publishing/dry-run';
export { type DirectPublication, type DirectPublishOptions, MessagePublisher } from './publishing/message-publisher';
export { MessageRequester } from './publishing/message-requester';
export { Route, route } from './publishing/route';
export { sharded, type StoreOf } from './sharded';
export { batchContextOf, isTidingsContext, MESSAGE_CONTEXT_TYPE, messageContextOf } from './tidings-context';

// What an application needs of the packages behind this one.
export {
  accept,
  ContractError,
  defineMessage,
  defineRequest,
  type Delivery,
  type DeliveryLevel,
  exponential,
  fixed,
  linear,
  type Message,
  type MessageContract,
  MessageContext,
  type Middleware,
  never,
  NonRetriableError,
  NoResponderError,
  NotInTransactionError,
  OptionsError,
  type PayloadOf,
  type PublishOptions,
  type Refusal,
  refusalOf,
  RefusedError,
  reject,
  release,
  type RequestContract,
  RequestNotSentError,
  type RequestOptions,
  RequestTimeoutError,
  ResponderError,
  type ResponderFailure,
  retry,
  RetryAfterError,
  type RetryDescription,
  type RateLimit,
  type Reclaimer,
  type ReclaimReport,
  type RetryOptions,
  type RetryBudget,
  type RetryPolicy,
  type Settlement,
  type TidingsLogger,
  TimeoutError,
} from '@tidings/core';
export type {
  AuditEntry,
  Decision,
  LetterFilter,
  LetterGroup,
  LetterSelection,
  LetterSummary,
  RedriveJob,
  RedriveJobOptions,
  RedriveJobs,
  RedriveResult,
  StoredLetter,
} from '@tidings/dead-letter';
export { CallbackModule, type CallbackModuleOptions } from './callback/callback.module';
export { HttpResendModule } from './callback/http-resend.module';
export { InjectResender } from './callback/inject-resender.decorator';
export { OnResend } from './callback/on-resend.decorator';
export {
  type BoundRecheckingPublisher,
  CALLBACK_GROUP,
  CallbackDesk,
  type CallbackMeasures,
  type CallbackOptions,
  Confirmed,
  type ExpectedSubscription,
  HttpResendError,
  type HttpResenderOptions,
  type HttpResendOptions,
  type KeySource,
  Recheck,
  RecheckNotSentError,
  type RecheckedOptions,
  RecheckingPublisher,
  type ResendAnswer,
  type Resender,
  type ResendQuestion,
  resendRequest,
  type SigningKeys,
  Subscribed,
} from '@tidings/callback';
export { type ReclaimRun, ReclaimScheduler } from '@tidings/reclaim';
export { AlreadyPreparedError, type BoundOutbox, type CheckBackAnswer, type DecidedNumber, Outbox, PreparedDecisionError, type PreparedMessage, type SubscriptionControl, type SubscriptionName } from '@tidings/outbox'; // prettier-ignore
