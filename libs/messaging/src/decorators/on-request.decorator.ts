import type { RequestContract, RetryPolicy } from '@tidings/core';
import { handles, type OnMessageOptions } from './on-message.decorator';

/** What holds for `@OnMessage`, for what can be answered. */
export interface OnRequestOptions extends Pick<
  OnMessageOptions,
  'ordered' | 'concurrency' | 'timeoutMs' | 'circuit' | 'transport' | 'store'
> {
  /** Responders of one group share the requests. Two groups would both answer, and the first answer counts. Default `responders`. */
  readonly group?: string;
  /**
   * Default `effectivelyOnce` where there is a store: the handler has a transaction, and the answer is sent when it has committed. Without one
   * `atLeastOnce`.
   */
  readonly level?: 'atLeastOnce' | 'effectivelyOnce';
  /** Default `never()`: the first failure is the answer. Another policy's delays count against the requester's time-out. */
  readonly retry?: RetryPolicy;
}

type Answers<ReplyInput> = (...parameters: never[]) => ReplyInput | Promise<ReplyInput>;

/**
 * Answers the requests of a contract: the method takes `(payload, context)`, or whatever `@Payload()`, `@Ctx()` and `@Headers()` say, and returns the
 * reply's payload. What it throws is thrown at the requester, as ResponderError with name, code and message, and undoes what the method wrote in its
 * transaction; a failed request is answered, so it is neither parked nor a dead letter.
 */
export function OnRequest<ReplyInput>(
  contract: RequestContract<unknown, never, unknown, ReplyInput>,
  options: OnRequestOptions = {},
): <Method extends Answers<ReplyInput>>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void {
  const { group = 'responders', ...rest } = options;
  return handles({ contract, options: { ...rest, group }, reply: contract.reply });
}
