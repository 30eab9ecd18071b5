import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { defer, type Observable, switchMap } from 'rxjs';
import { MessageContext } from '@tidings/core';
import { MESSAGE_CONTEXT_TYPE } from '@tidings/messaging';
import type { History } from './history';

/** Sits right before the handler's body: a copy that the inbox recognised never comes this far. */
export class HistoryInterceptor implements NestInterceptor {
  constructor(private readonly history: History) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const context = execution.getArgs<unknown[]>().find((arg) => arg instanceof MessageContext);
    if (execution.getType<string>() !== MESSAGE_CONTEXT_TYPE || !context) return next.handle();
    return defer(() => this.history.write('handling', context)).pipe(switchMap(() => next.handle()));
  }
}
