import 'reflect-metadata';
import type { MessageContract } from '@tidings/core';
import { completeParams } from './message-params.decorator';

export interface OnCheckBackOptions {
  /** The store whose outbox prepared the messages. Default: the store `default`, or the only one. */
  readonly store?: string;
}

/** What a decorated method answers for. */
export interface OnCheckBackMetadata {
  readonly contract: MessageContract<unknown, never>;
  readonly options: OnCheckBackOptions;
}

const ON_CHECK_BACK = 'tidings:on-check-back';

// Nest's ENTRY_PROVIDER_WATERMARK; see on-message.decorator.ts.
const ENTRY_PROVIDER = '__entryProvider__';

/**
 * Answers for prepared messages of a contract that nobody has decided in time (`outbox.prepare`): the method takes `(payload, context)` and returns
 * 'commit', 'rollback' or 'unknown' (asked again later), by what the business data says. It runs in a transaction of the store that the decision commits
 * with; what it throws counts as 'unknown'. One method a contract and store.
 */
export function OnCheckBack(
  contract: MessageContract<unknown, never>,
  options: OnCheckBackOptions = {},
): MethodDecorator {
  return (target, method, descriptor: PropertyDescriptor) => {
    completeParams(target, method);
    const known = onCheckBackOf(descriptor.value);
    Reflect.defineMetadata(ON_CHECK_BACK, [{ contract, options }, ...known], descriptor.value as object);
    Reflect.defineMetadata(ENTRY_PROVIDER, true, target.constructor);
  };
}

export const onCheckBackOf = (method: unknown): readonly OnCheckBackMetadata[] =>
  typeof method === 'function' ? ((Reflect.getMetadata(ON_CHECK_BACK, method) ?? []) as OnCheckBackMetadata[]) : [];
