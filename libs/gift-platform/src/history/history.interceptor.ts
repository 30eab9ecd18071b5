import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { defer, type Observable, switchMap } from 'rxjs';
import { batchContextOf, isTidingsContext, messageContextOf } from '@tidings/messaging';
import type { History } from './history';

/** Sits right before the handler's body: a copy that the inbox recognised never comes this far. */
export class HistoryInterceptor implements NestInterceptor {
  constructor(private readonly history: History) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!isTidingsContext(execution) || batchContextOf(execution)) return next.handle(); // only Tidings' own come in batches
    const context = messageContextOf(execution);
    if (!this.history.concerns(context)) return next.handle();
    return defer(() => this.history.write('handling', context)).pipe(switchMap(() => next.handle()));
  }
}
