import type { ArgumentsHost } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { BatchContext } from './handling/batch-context';

/** What `getType()` of a guard's, interceptor's or filter's context says while a message is handled. */
export const MESSAGE_CONTEXT_TYPE = 'tidings';

/** True in a guard, interceptor or filter that runs for a message: a global HTTP guard asks this first and lets messages pass. */
export const isTidingsContext = (host: ArgumentsHost): boolean => host.getType<string>() === MESSAGE_CONTEXT_TYPE;

/** The context of a batch (`@OnMessages`), in a guard, interceptor or filter where `isTidingsContext` holds; undefined for a single message. */
export function batchContextOf(host: ArgumentsHost): BatchContext | undefined {
  const context: unknown = host.getArgByIndex(1);
  return context instanceof BatchContext ? context : undefined;
}

/** The message's context, in a guard, interceptor or filter where `isTidingsContext` holds and `batchContextOf` is undefined. */
export const messageContextOf = (host: ArgumentsHost): MessageContext => host.getArgByIndex<MessageContext>(1);
