import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { defer, type Observable, switchMap } from 'rxjs';
import { isTidingsContext, messageContextOf } from '@tidings/messaging';
import type { History } from './history';

/** Sits right before the handler's body: a copy that the inbox recognised never comes this far. */
export class HistoryInterceptor implements NestInterceptor {
  constructor(private readonly history: History) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!isTidingsContext(execution)) return next.handle();
    const context = messageContextOf(execution);
    if (context.handler.subscription.broadcast) return next.handle();
    return defer(() => this.history.write('handling', context)).pipe(switchMap(() => next.handle()));
  }
}
