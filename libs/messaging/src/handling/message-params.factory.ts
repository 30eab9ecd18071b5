import type { ParamData } from '@nestjs/common';
import type { MessageContext } from '@tidings/core';
import { BatchContext, type BatchItem } from './batch-context';
import { MESSAGE_PARAM } from '../decorators/message-params.decorator';

/** The items of a batch on their way through pipes, which see one payload at a time. */
export class PerItem {
  constructor(readonly items: readonly BatchItem[]) {}
}

/** Takes a parameter's value from what a handler is called with: `[payload, context]`. Nest calls it before the pipes. */
export const messageParamsFactory = {
  exchangeKeyForValue(
    kind: number,
    data: ParamData,
    args: [payload: unknown, context: MessageContext | BatchContext],
  ): unknown {
    const [payload, context] = args;
    if (context instanceof BatchContext) {
      return kind === MESSAGE_PARAM.PAYLOAD
        ? new PerItem(context.items)
        : kind === MESSAGE_PARAM.CONTEXT
          ? context
          : undefined;
    }
    const { headers } = context.message;
    switch (kind) {
      case MESSAGE_PARAM.PAYLOAD:
        return typeof data === 'string' ? (payload as Record<string, unknown> | null | undefined)?.[data] : payload;
      case MESSAGE_PARAM.CONTEXT:
        return context;
      case MESSAGE_PARAM.HEADERS:
        return typeof data === 'string' ? headers[data] : headers;
      default:
        return undefined;
    }
  },
};
