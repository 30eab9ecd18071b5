export {
  Confirmed,
  type Confirmation,
  Recheck,
  type RecheckPayload,
  resendRequest,
  Subscribed,
} from './callback.contracts';
export { callbackMigrations } from './migrations';
export { type ResendAnswer, resendAnswer, type Resender, type ResendQuestion, resendQuestion } from './resender';
