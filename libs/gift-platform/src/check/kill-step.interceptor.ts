import type { CallHandler, ExecutionContext, NestInterceptor, Provider } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { isTidingsContext, messageContextOf } from '@tidings/messaging';
import { catchError, concatMap, type Observable } from 'rxjs';
import { type KillStep, killThisProcess } from './kill-step';

/** Kills this process inside of a handler's transaction, when its work is done. */
class KillStepInterceptor implements NestInterceptor {
  #handled = 0;

  constructor(private readonly at: KillStep) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { step, type, nth } = this.at;
    if (step !== 'handled' || !isTidingsContext(execution)) return next.handle();
    if (messageContextOf(execution).message.type !== type || ++this.#handled !== nth) return next.handle();
    return next.handle().pipe(concatMap(killThisProcess), catchError(killThisProcess));
  }
}

export const killStepInterceptor = (at: KillStep): Provider => ({
  provide: APP_INTERCEPTOR,
  useFactory: () => new KillStepInterceptor(at),
});
