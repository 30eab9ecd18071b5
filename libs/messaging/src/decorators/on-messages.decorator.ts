import type { MessageContract } from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import { type MessageParams, MESSAGE_PARAM, MESSAGE_PARAMS } from './message-params.decorator';
import { type GatherOptions, handles, type OnMessageOptions } from './on-message.decorator';

export interface OnMessagesOptions extends Omit<OnMessageOptions, 'coalesce' | 'concurrency' | 'keyConcurrency'> {
  readonly batch: GatherOptions;
  /** Batches that one process handles at once. Each holds a connection of the store's pool meanwhile. Default 1. */
  readonly concurrency?: number;
}

/**
 * Handles the messages of a contract in batches, each in one transaction: on a method of a provider or controller that takes `(items, context)`, a
 * `BatchItem[]` and the `BatchContext`.
 *
 * It succeeds for all of them when it returns. When it throws, the transaction rolls back: a `BatchError` names those that failed, and the others run
 * again without them; after any other error the batch is halved until the bad ones are found. Only those count as failed and go the way of `retry`.
 * Copies in a batch are handed over once, and what was handled before not at all. With `ordered`, messages of one key keep their order in the batch and
 * across batches, and what follows a failed one of its key waits for it.
 *
 * Guards, interceptors and filters run once a batch, with `(items, context)` as arguments; what they refuse is narrowed down like any failure. Pipes run
 * for each item's payload, and those that fail there have failed by themselves. A Settlement that the method returns holds for all.
 */
export function OnMessages(contract: MessageContract<unknown, never>, options: OnMessagesOptions): MethodDecorator {
  return (target, method, descriptor: PropertyDescriptor) => {
    refuseParams(target, method);
    handles({ contract, options })(target, method, descriptor);
  };
}

/** Only the items and the context: a batch has no headers of its own, and no property of a payload. */
function refuseParams(target: object, method: string | symbol): void {
  const params = (Reflect.getOwnMetadata(MESSAGE_PARAMS, target.constructor, method) ?? {}) as MessageParams;
  for (const [key, { data }] of Object.entries(params)) {
    if (!key.startsWith(`${MESSAGE_PARAM.HEADERS}:`) && typeof data !== 'string') continue;
    throw new MessagingConfigurationError(
      `${target.constructor.name}.${String(method)}`,
      'expected @Payload() and @Ctx() in a batch handler, found @Headers() or a property; take them from the items',
    );
  }
}
