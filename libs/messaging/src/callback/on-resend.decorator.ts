import 'reflect-metadata';
import type { MessageContract } from '@tidings/core';
import { completeParams } from '../decorators/message-params.decorator';

export interface OnResendMetadata {
  readonly contract: MessageContract<unknown, never>;
}

const ON_RESEND = 'tidings:on-resend';

// Nest's ENTRY_PROVIDER_WATERMARK; see on-message.decorator.ts.
const ENTRY_PROVIDER = '__entryProvider__';

/**
 * Answers for messages of a contract that not all of their groups have confirmed, from business data: the method takes `(question, context)`, where
 * `question.id` is the message's id, and returns the very payload that was published, `undefined` when there is no such business (it was rolled back, or
 * never happened), or 'undecided' to be asked again later. It runs in a transaction of the store (`managerOf(context)`). One method a contract.
 * Without one the outbox's log is looked in, which has what was published with the mode `outbox`, for as long as it keeps it.
 */
export function OnResend(contract: MessageContract<unknown, never>): MethodDecorator {
  return (target, method, descriptor: PropertyDescriptor) => {
    completeParams(target, method);
    const known = onResendOf(descriptor.value);
    Reflect.defineMetadata(ON_RESEND, [{ contract }, ...known], descriptor.value as object);
    Reflect.defineMetadata(ENTRY_PROVIDER, true, target.constructor);
  };
}

export const onResendOf = (method: unknown): readonly OnResendMetadata[] =>
  typeof method === 'function' ? ((Reflect.getMetadata(ON_RESEND, method) ?? []) as OnResendMetadata[]) : [];
