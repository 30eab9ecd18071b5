export {
  Confirmed,
  type Confirmation,
  Recheck,
  type RecheckPayload,
  resendRequest,
  Subscribed,
} from './callback.contracts';
export { CALLBACK_GROUP, CallbackDesk, type CallbackDeskSetup, type CallbackMeasures } from './callback-desk';
export { callbackOptions, type CallbackOptions, type CallbackServiceOptions, callbackServiceOptions, checkCallbackServiceOptions, type RecheckMode, type ResolvedCallbackOptions, type ResolvedCallbackServiceOptions } from './callback.options'; // prettier-ignore
export { type ConfirmMiddlewares, confirmMiddlewares, type ConfirmMiddlewareSetup } from './confirm.middleware';
export { Confirmer, type ConfirmerSetup } from './confirmer';
export { HttpResendError } from './http/http-resend.error';
export { checkHttpResenderOptions, checkHttpResendOptions, type HttpResenderOptions, type HttpResendOptions, type ResolvedHttpResenderOptions, type ResolvedHttpResendOptions } from './http/http-resend.options'; // prettier-ignore
export { HttpResender, RESEND_CONTENT_TYPE } from './http/http.resender';
export { readBody } from './http/read-body';
export { ResendEndpoint, type ResendEndpointSetup, type ResendHttpAnswer, type ResendHttpRequest, type ResendRefusal } from './http/resend.endpoint'; // prettier-ignore
export type { KeySource, SigningKeys } from './http/signing-keys';
export { callbackMigrations } from './migrations';
export { RecheckNotSentError } from './recheck-not-sent.error';
export { type BoundRecheckingPublisher, type RecheckedOptions, RecheckingPublisher, type RecheckingPublisherSetup, type RecheckOutbox } from './rechecking.publisher'; // prettier-ignore
export { type Ask, RequestReplyResender } from './request-reply.resender';
export { type ResendAnswer, resendAnswer, type Resender, type ResendQuestion, resendQuestion } from './resender';
export { type FindAgain, SenderResender, type SenderResenderSetup } from './sender.resender';
export type { ArrivedRecheck } from './sql/file-checks';
export type { ExpectedSubscription } from './sql/list-subscriptions';
export type { GroupLatency } from './sql/measure-confirmations';
export { readTime } from './sql/read-time';
export type { Unconfirmed } from './sql/measure-unconfirmed';
export { SubscriptionsAnnouncer, type SubscriptionsAnnouncerSetup } from './subscriptions.announcer';
